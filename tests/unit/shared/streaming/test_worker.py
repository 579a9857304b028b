"""A worker that catches up before it polls shows that it lives."""

import time

import pytest

from shared.settings import KafkaSettings
from shared.streaming import IntakeSettings, worker
from shared.streaming.chunk import Chunk
from shared.streaming.worker import StreamWorker
from tests.deadlines import eventually


class Idle:
    """A stage that is never reached."""

    async def prepare(self, chunk: Chunk) -> None:
        raise AssertionError(chunk)

    async def deliver(self, chunk: Chunk, prepared: None) -> None:
        raise AssertionError(chunk)


async def test_what_is_busy_before_it_polls_is_not_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "BEAT_SECONDS", 0.01)
    begun = time.monotonic()
    busy = StreamWorker("busy", KafkaSettings(bootstrap_servers="localhost:1"))
    intake = busy.consume("topic", Idle(), group="group", settings=IntakeSettings())
    intake.last_poll = begun - 1_000.0
    async with busy.busy():
        later = time.monotonic()
        await eventually(
            lambda: busy.silence() < time.monotonic() - later, what="a beat after the first"
        )
    assert busy.silence() < 1_000.0


async def test_an_intake_that_stopped_polling_is_silent_again() -> None:
    idle = StreamWorker("idle", KafkaSettings(bootstrap_servers="localhost:1"))
    intake = idle.consume("topic", Idle(), group="group", settings=IntakeSettings())
    async with idle.busy():
        pass
    quiet = idle.silence()
    intake.last_poll -= 1_000.0
    await eventually(lambda: idle.silence() > quiet, what="silence grows where nothing beats")
