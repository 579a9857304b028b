"""Who is ready: whoever has its share of the partitions, and be it none."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.deadlines import eventually
from tests.integration.streaming.scenario import Scenario

pytestmark = pytest.mark.integration

DEADLINE = 90


@pytest.fixture
def scenario(
    kafka_bootstrap: str, unique: Callable[[str], str], tmp_path: Path
) -> Iterator[Scenario]:
    scenario = Scenario(kafka_bootstrap, unique("ready"), tmp_path, partitions=1)
    yield scenario
    scenario.stop()


async def is_ready(scenario: Scenario, name: str) -> None:
    async def ready() -> bool:
        return (await scenario.readiness(name))[0] == 200

    await eventually(ready, DEADLINE, what=f"{name} is ready")


async def test_a_spare_is_ready_and_takes_over(scenario: Scenario) -> None:
    await scenario.create_topics()
    workers = {name: scenario.start(name) for name in ("first", "second")}
    for name in workers:
        await is_ready(scenario, name)
    workers["first"].kill()
    await is_ready(scenario, "second")
    feeding = asyncio.create_task(scenario.feed(per_second=100))
    await scenario.progressed(100)
    scenario.enough()
    await feeding
    assert (await scenario.outcome()).lost == 0


async def test_without_its_topic_nobody_is_ready(scenario: Scenario) -> None:
    scenario.start("early")

    async def says_why() -> bool:
        status, text = await scenario.readiness("early")
        return status == 503 and f"no partition of {scenario.source} is assigned" in text

    await eventually(says_why, DEADLINE, what="the topic is named")
    await scenario.create_topics()
    await is_ready(scenario, "early")
