"""Issue 3, item 7: whatever is killed, each accepted ticket is labelled and counted once."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.models import train
from tests.chaos.rows import control
from tests.chaos.world import Setup, World

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

TICKETS = 20_000
KILLS = ("classifier-0", "classifier-1", "forecaster") * 2 + ("broker", "redis")


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("models") / "models")


@pytest.fixture
def world(tmp_path: Path, models: Path) -> Iterator[World]:
    with World(Setup(), tmp_path, models, seed=random.randrange(10_000)) as running:
        yield running


def test_nothing_is_lost_or_counted_twice_while_everything_is_killed(world: World) -> None:
    victims = list(KILLS)
    world.rng.shuffle(victims)
    moments = sorted(world.rng.uniform(0.02, 0.95) for _ in victims)
    with world.feeding(TICKETS, rate=1_000, batch=200) as feeder:
        for victim, moment in zip(victims, moments, strict=True):
            world.reach(feeder, moment)
            _kill(world, victim)
    world.recover()
    verdict = world.settle()
    assert verdict.good, (world.seed, verdict)
    assert verdict.counted == len(world.ledger.tickets()) >= TICKETS
    assert verdict.skipped == 0


def test_the_judge_sees_what_a_naive_projection_does(tmp_path: Path, models: Path) -> None:
    with World(control.SETUP, tmp_path, models, seed=1) as world:
        control.naive(world)
        verdict = world.settle()
        assert verdict.lost == 0
        assert verdict.doubled > 0
        assert verdict.mismatched > 0


def _kill(world: World, victim: str) -> None:
    if victim == "broker":
        world.broker.kill()
        world.broker.start()
    elif victim == "redis":
        world.valkey.kill()
        world.valkey.start()
    else:
        world.services[victim].kill()
