"""The intake on a real broker while members join, leave, die and wake up from the dead."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.integration.streaming.scenario import Outcome, Scenario

pytestmark = pytest.mark.integration

# What a frozen member needs to lose its session (IntakeSettings.session_ms) and then some.
BEYOND_SESSION_SECONDS = 9


@pytest.fixture
async def scenario(
    kafka_bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> AsyncIterator[Scenario]:
    scenario = Scenario(kafka_bootstrap, unique("echo"), tmp_path)
    await scenario.create_topics()
    yield scenario
    scenario.stop()


def assert_nothing_lost(outcome: Outcome) -> None:
    assert (outcome.lost, outcome.gaps) == (0, 0)
    assert outcome.committed == outcome.fed > 0


async def test_members_join_and_leave(scenario: Scenario) -> None:
    first = scenario.start("first")
    feeding = asyncio.create_task(scenario.feed(per_second=1_000))
    await scenario.progressed(1_000)
    scenario.start("second")
    await scenario.progressed(3_000)
    first.terminate()
    await scenario.progressed(4_000)
    scenario.enough()
    await feeding
    assert_nothing_lost(await scenario.outcome())


async def test_a_member_is_killed_and_another_comes(scenario: Scenario) -> None:
    first = scenario.start("first")
    second = scenario.start("second")
    feeding = asyncio.create_task(scenario.feed(per_second=1_000))
    await scenario.progressed(2_000)
    second.kill()
    await scenario.progressed(1_000)
    scenario.start("third")
    await scenario.progressed(2_000)
    first.kill()
    await scenario.progressed(2_000)
    scenario.enough()
    await feeding
    assert_nothing_lost(await scenario.outcome())


async def test_a_frozen_member_wakes_up_as_a_zombie(scenario: Scenario) -> None:
    first = scenario.start("first")
    scenario.start("second")
    feeding = asyncio.create_task(scenario.feed(per_second=700))
    await scenario.progressed(2_000)
    first.freeze()
    await asyncio.sleep(BEYOND_SESSION_SECONDS)  # the fault itself, not a wait for its effect
    first.thaw()
    await scenario.progressed(2_000)
    scenario.enough()
    await feeding
    assert_nothing_lost(await scenario.outcome())
