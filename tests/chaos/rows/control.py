"""The control: a projection as one would write it first must be found guilty by the same judge."""

from shared import redis_keys as keys
from shared.topics import LABELLED
from tests.chaos.row import Row
from tests.chaos.world import Setup, World

SETUP = Setup(classifiers=1, forecaster="tests.chaos.naive")


def naive(world: World) -> None:
    """SIGKILL whenever effects are in Redis whose position is not."""
    with world.feeding(2_000, rate=400) as feeder:
        for moment in (0.2, 0.5, 0.8):
            world.reach(feeder, moment)
            world.until(lambda: _ahead(world), "effects without their position")
            world.forecaster.kill()


def _ahead(world: World) -> bool:
    stored = sum(
        int(world.store.hget(keys.position(LABELLED.name, number), "offset") or 0)
        for number in range(world.setup.partitions)
    )
    return world.totals().get("labelled", 0) > stored


ROWS = (
    Row(
        "naive-control",
        "a projection that stores its position apart: must fail",
        naive,
        SETUP,
        guilty=True,
        spoils=True,
    ),
)
