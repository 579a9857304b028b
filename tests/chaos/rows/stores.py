"""Redis dies, loses its tail or everything, is full, or does not answer."""

import os
import time

from tests.chaos.row import Row
from tests.chaos.world import World

RETRIES = "deskstream_forecaster_redis_retries_total"
REWINDS = "deskstream_intake_rewinds_total"
LEAST_CUT, LARGEST_CUT = 20_000, 200_000
PAUSE_MS = 120_000


def killed(world: World) -> None:
    """SIGKILL and a start, twice."""
    with world.feeding(1_200) as feeder:
        for moment in (world.rng.uniform(0.1, 0.4), world.rng.uniform(0.5, 0.9)):
            world.reach(feeder, moment)
            world.valkey.kill()
            world.valkey.start()
            world.recover()


def torn_twice(world: World) -> None:
    """The append-only file ends in the middle of a command, and again after the restart.

    One cut alone does not show what Redis 7.0 does with a half transaction at its tail.
    """
    with world.feeding(1_500) as feeder:
        for moment in (world.rng.uniform(0.2, 0.4), world.rng.uniform(0.6, 0.9)):
            world.reach(feeder, moment)
            world.valkey.kill()
            _tear(world)
            world.valkey.start()
            world.recover()


def idle_loss(world: World) -> None:
    """Redis goes back while nothing new arrives that could be refused."""
    with world.feeding(600):
        pass
    world.until(world.at_rest, "everything is in Redis")
    before = world.metric("forecaster", REWINDS)
    world.valkey.kill()
    _tear(world)
    started = time.monotonic()
    world.valkey.start()
    world.until(lambda: world.metric("forecaster", REWINDS) > before, "the loss is noticed")
    world.until(world.at_rest, "the loss is made good")
    world.recoveries.append(time.monotonic() - started)


def flushed(world: World) -> None:
    """FLUSHALL: everything is read again, and /ready says so meanwhile."""
    with world.feeding(800):
        pass
    world.until(world.at_rest, "everything is in Redis")
    started = time.monotonic()
    with world.store.pipeline(transaction=True) as pipeline:
        pipeline.flushall()
        # Holds the rebuilding, so that it can be seen however short the topic is.
        pipeline.execute_command("CLIENT", "PAUSE", PAUSE_MS, "WRITE")
        pipeline.execute()
    try:
        world.until(lambda: "rebuilding" in world.reason("forecaster"), "/ready says rebuilding")
    finally:
        world.store.execute_command("CLIENT", "UNPAUSE")
    world.until(world.at_rest, "everything is rebuilt")
    world.recoveries.append(time.monotonic() - started)
    world.until(lambda: world.reason("forecaster") == "", "the forecaster is ready again")


def full(world: World) -> None:
    """Out of memory: writes stall and go on when there is room."""
    with world.feeding(900) as feeder:
        world.reach(feeder, 0.3)
        used = world.store.info("memory")["used_memory"]
        before = world.metric("forecaster", RETRIES)
        world.store.config_set("maxmemory", used // 2)
        try:
            world.until(
                lambda: world.metric("forecaster", RETRIES) > before + 3, "the forecaster waits"
            )
        finally:
            world.store.config_set("maxmemory", 0)
        world.recover()


def frozen(world: World) -> None:
    """SIGSTOP until calls have timed out: nobody knows which of them were applied."""
    with world.feeding(900) as feeder:
        world.reach(feeder, 0.3)
        before = world.metric("forecaster", RETRIES)
        world.valkey.freeze()
        try:
            world.until(
                lambda: world.metric("forecaster", RETRIES) > before, "calls have timed out"
            )
        finally:
            world.valkey.thaw()
        world.recover()


def _tear(world: World) -> None:
    """Cut the end of the append-only file off, as a machine without power does."""
    folder = world.valkey.directory / "appendonlydir"
    path = max(folder.glob("*.incr.aof"), key=lambda each: int(each.name.split(".")[-3]))
    size = path.stat().st_size
    assert size > 2 * LEAST_CUT, f"{path} has only {size} bytes to tear"
    cut = world.rng.randint(LEAST_CUT, min(size // 2, LARGEST_CUT))
    os.truncate(path, size - cut)
    world.notes["bytes cut"] = world.notes.get("bytes cut", 0) + cut


ROWS = (
    Row("kill-redis", "SIGKILL of Redis", killed),
    Row("tear-redis-twice", "append-only file torn twice in a row", torn_twice, quick=True),
    Row("redis-loses-tail-idle", "Redis loses its tail, no new ticket", idle_loss, quick=True),
    Row("flush-redis", "FLUSHALL", flushed, quick=True),
    Row("redis-out-of-memory", "maxmemory reached", full),
    Row("freeze-redis", "SIGSTOP of Redis until calls time out", frozen),
)
