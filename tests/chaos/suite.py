"""Runs rows: a world for each setup, used again while it is whole; failures keep their evidence."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from aiokafka.errors import KafkaError
from httpx import HTTPError
from redis import RedisError

from deploy.local.workspace import CHECKOUT
from shared.errors import DeskstreamError
from tests.chaos import evidence
from tests.chaos.models import train
from tests.chaos.row import Outcome, Row, Skipped
from tests.chaos.world import Setup, World

# What a broken system, or a store that is away, makes a row raise.
FAULTS = (AssertionError, DeskstreamError, KafkaError, RedisError, HTTPError, OSError, RuntimeError)
EVIDENCE = CHECKOUT / ".local" / "chaos"


class Suite:
    """A context that owns the world under test and a folder for it."""

    def __init__(self, directory: Path, announce: Callable[[str], None] = lambda _: None) -> None:
        self._directory = directory
        self._announce = announce
        self._world: World | None = None
        self._built_for: Setup | None = None
        self._number = 0
        self._models: Path | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._drop()

    def run(self, row: Row, seed: int) -> Outcome:
        """One run of one row. Only an interrupt gets out of here."""
        started = time.monotonic()
        outcome = Outcome(row.name, seed, "passed")
        folder = self._directory / f"prepared-{row.name}-{seed}"
        try:
            self._attempt(row, seed, outcome, folder)
        finally:  # an interrupt leaves no disk mounted either
            if outcome.status == "failed" or not row.shares:
                self._drop()
            if row.clean_up:
                row.clean_up(folder)
        outcome.seconds = round(time.monotonic() - started, 1)
        return outcome

    def _attempt(self, row: Row, seed: int, outcome: Outcome, folder: Path) -> None:
        try:
            setup = row.prepare(folder, row.setup) if row.prepare else row.setup
            self._act(row, setup, seed, outcome)
        except Skipped as reason:
            outcome.status, outcome.reason = "skipped", str(reason)
        except FAULTS as error:
            outcome.status = "failed"
            outcome.reason = str(error) or repr(error)
        if outcome.status == "failed":
            outcome.evidence = self._keep(row, seed, outcome.reason)

    def _act(self, row: Row, setup: Setup, seed: int, outcome: Outcome) -> None:
        world = self._world_for(setup, seed, row.shares)
        world.rng = random.Random(f"{seed}-{row.name}")
        before = world.ledger.events
        world.recoveries.clear()
        world.notes.clear()
        world.ledger.forget_times()
        try:
            row.act(world)
            outcome.judged(world.settle(), guilty=row.guilty)
        finally:
            outcome.events = world.ledger.events - before
            outcome.notes = dict(world.notes)
            if world.recoveries:
                outcome.recovery = round(max(world.recoveries), 1)

    def _world_for(self, setup: Setup, seed: int, shares: bool) -> World:
        known = self._world
        # Not over repetitions: the judge recounts all that was ever written to a world.
        if known is not None and shares and (setup, seed) == (self._built_for, known.seed):
            return known
        self._drop()
        if self._models is None:
            self._announce("training the model of the suite")
            self._models = train(self._directory / "models")
        self._number += 1
        folder = self._directory / f"world-{self._number}"
        self._announce("starting broker, Redis and services")
        world = World(setup, folder, self._models, seed, self._announce)
        self._world, self._built_for = world, setup
        world.open()
        return world

    def _keep(self, row: Row, seed: int, reason: str) -> str:
        if self._world is None:
            return ""
        return str(evidence.keep(self._world, EVIDENCE / f"{row.name}-{seed}", reason))

    def _drop(self) -> None:
        world, self._world = self._world, None
        if world is not None:
            world.close()
            shutil.rmtree(world.directory, ignore_errors=True)
