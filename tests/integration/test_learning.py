"""Corrections on a real broker: effective at once, equal in all workers, kept over restarts."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from shared.events import CorrectionLogEvent, RefitDue
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.streaming.watchdog import EXIT_OTHER_LOG
from shared.topics import CORRECTED
from tests.builders import NOON, a_correction
from tests.chaos.logbook import make_anew
from tests.chaos.models import train
from tests.deadlines import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

START_SECONDS = 90
PARTITIONS = 4
DARK = "the projector stays dark"


class Worker:
    """A classifier process and its internal port."""

    def __init__(self, number: int, bootstrap: str, models: Path, folder: Path) -> None:
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        self.process = ChildProcess(
            f"classifier-{number}",
            [sys.executable, "-m", "services.classifier"],
            log=folder / f"classifier-{number}.log",
            environment={
                "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
                "CLASSIFIER_MODELS": str(models),
                "CLASSIFIER_SNAPSHOTS": str(folder / f"snapshots-{number}"),
                "CLASSIFIER_PORT": str(port),
                "CLASSIFIER_WORDS_SECONDS": "0.5",
            },
        )

    def start(self) -> None:
        self.process.start()
        wait_until(self.answers, START_SECONDS, what=f"{self.process.name} answers")

    def answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/model", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def topic(self, text: str) -> str:
        answer = httpx.post(f"{self.url}/classify", json={"body": text}, timeout=10)
        return str(answer.raise_for_status().json()["topic"])

    def scores(self, text: str) -> dict[str, float]:
        answer = httpx.post(f"{self.url}/classify", json={"body": text}, timeout=10)
        found: dict[str, float] = answer.raise_for_status().json()["topic_scores"]
        return found

    def model(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.url}/model", timeout=10).json()
        return found


@pytest.fixture
def workers(broker: LocalBroker, tmp_path: Path) -> Iterator[list[Worker]]:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
    asyncio.run(create_topics(settings))
    models = train(tmp_path / "models")
    pair = [Worker(n, broker.bootstrap_servers, models, tmp_path) for n in range(2)]
    try:
        yield pair
    finally:
        for worker in pair:
            worker.process.kill()


def written(bootstrap: str, *events: CorrectionLogEvent) -> None:
    """Append events to the log, as ingest does."""

    async def write() -> None:
        async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
            for event in events:
                value = event.model_dump_json().encode()
                await producer.send_and_wait(CORRECTED.name, value, partition=0)

    asyncio.run(write())


def settled(workers: list[Worker], offset: int) -> list[str]:
    """The probe digests of all workers once they stand at this offset and agree."""

    def agreed() -> list[str]:
        found = [worker.model() for worker in workers]
        digests = [each["probe_digest"] for each in found]
        there = all(each["settled"] and each["log_offset"] == offset for each in found)
        return digests if there and len(set(digests)) == 1 else []

    return wait_until(agreed, 60, what=f"all workers agree at offset {offset}")


def test_corrections_are_learned_alike_and_survive_restarts(
    broker: LocalBroker, workers: list[Worker]
) -> None:
    first, second = workers
    first.start()
    second.start()
    assert first.topic(DARK) != "Beamers"
    before = settled(workers, 0)

    written(broker.bootstrap_servers, a_correction(topic="Beamers", body=DARK))
    for worker in workers:
        wait_until(lambda w=worker: w.topic(DARK) == "Beamers", what="the correction is in force")  # type: ignore[misc]

    more = [
        a_correction(event_id=f"c-{n}", topic="Beamers", body=f"beamer {n} shows no picture")
        for n in range(2, 8)
    ]
    marks = [RefitDue(event_id=f"r-{n}", received_at=NOON) for n in range(6)]
    pairs = [event for pair in zip(more, marks, strict=True) for event in pair]
    written(broker.bootstrap_servers, *pairs)
    after = settled(workers, 1 + len(pairs))
    assert after != before

    first.process.kill()
    first.start()
    assert settled(workers, 1 + len(pairs)) == after
    assert first.topic("the beamer shows no picture at all") == "Beamers"


def test_words_that_one_worker_meets_are_known_to_all_at_the_same_offset(
    workers: list[Worker],
) -> None:
    first, second = workers
    first.start()
    second.start()
    settled(workers, 0)
    text = "the gizmotron is broken"
    before = second.scores(text)
    for _ in range(3):
        first.topic(text)
    settled(workers, 1)
    answers = [worker.scores(text) for worker in workers]
    assert answers[0] == answers[1] != before


def test_what_a_log_taught_that_is_gone_is_forgotten(
    broker: LocalBroker, workers: list[Worker], tmp_path: Path
) -> None:
    worker, snapshots = workers[0], tmp_path / "snapshots-0"
    worker.start()
    told = [a_correction(event_id=f"c-{n}", topic="Beamers", body=f"{DARK} {n}") for n in range(4)]
    marks = [RefitDue(event_id=f"r-{n}", received_at=NOON) for n in range(4)]
    for correction, mark in zip(told, marks, strict=True):
        written(broker.bootstrap_servers, correction, mark)
    settled([worker], 8)
    assert worker.topic(DARK) == "Beamers"
    assert list(snapshots.iterdir())
    worker.process.kill()

    asyncio.run(make_anew(broker.bootstrap_servers, CORRECTED, PARTITIONS))
    others = [a_correction(event_id=f"d-{n}", topic="Lamps", body=f"lamp {n}") for n in range(12)]
    written(broker.bootstrap_servers, *others)
    worker.start()
    settled([worker], 12)
    assert worker.topic(DARK) != "Beamers"
    assert worker.topic("lamp 1") == "Lamps"


def test_a_running_worker_forgets_a_log_that_is_made_anew(
    broker: LocalBroker, workers: list[Worker]
) -> None:
    worker, fresh = workers
    worker.start()
    told = [a_correction(event_id=f"c-{n}", topic="Beamers", body=f"{DARK} {n}") for n in range(4)]
    written(broker.bootstrap_servers, *told, RefitDue(event_id="r", received_at=NOON))
    settled([worker], 5)
    assert worker.topic(DARK) == "Beamers"

    asyncio.run(make_anew(broker.bootstrap_servers, CORRECTED, PARTITIONS))
    others = [a_correction(event_id=f"d-{n}", topic="Lamps", body=f"lamp {n}") for n in range(12)]
    written(broker.bootstrap_servers, *others)
    assert worker.process.wait(60) == EXIT_OTHER_LOG
    assert "is not the log that was folded" in worker.process.log.read_text()

    worker.start()
    fresh.start()
    settled(workers, 12)
    assert worker.topic(DARK) != "Beamers"
    assert worker.topic("lamp 1") == "Lamps"
