"""The broker dies or stops answering: no 202 without durability, nothing lost, no hand needed."""

import time
from collections.abc import Callable

from tests.chaos.row import Row
from tests.chaos.world import World

# The promise; ingest itself waits four seconds for Kafka (INGEST_ACK_TIMEOUT).
ANSWER_SECONDS = 5.0
INGEST_GROWTH_MB = 150.0


def killed(world: World) -> None:
    """SIGKILL and a start on the same data, twice."""
    with world.feeding(1_200) as feeder:
        for moment in (world.rng.uniform(0.1, 0.4), world.rng.uniform(0.5, 0.9)):
            world.reach(feeder, moment)
            world.broker.kill()
            world.broker.start()
            world.recover()
    _in_time(world)


def away(world: World) -> None:
    """Dead until ingest has said so often enough; the second time ingest dies with it.

    What got a 202 must not lie in ingest's memory alone, from where it would come once all is well.
    """
    rounds = ((world.rng.uniform(0.2, 0.4), 5), (world.rng.uniform(0.5, 0.7), 1))
    with world.feeding(900) as feeder:
        for number, (moment, refusals) in enumerate(rounds):
            world.reach(feeder, moment)
            world.broker.kill()
            accepted = world.ledger.events
            _refusals(world, refusals)
            assert world.ledger.events == accepted, "a 202 while the broker was dead"
            if number:
                world.services["ingest"].kill()
            world.broker.start()
            world.recover()
    _in_time(world)


def frozen(seconds: float) -> Callable[[World], None]:
    """SIGSTOP for `seconds`: connections stay open and nothing answers."""

    def act(world: World) -> None:
        with world.feeding(900) as feeder:
            world.reach(feeder, world.rng.uniform(0.2, 0.7))
            before = world.rss("ingest")
            thaw_at = time.monotonic() + seconds
            world.broker.freeze()
            try:
                _refusals(world, 1)
                accepted = world.ledger.events
                world.until(lambda: time.monotonic() > thaw_at, "the freeze is over", 2 * seconds)
                assert world.ledger.events == accepted, "a 202 while the broker was frozen"
            finally:
                world.broker.thaw()
            grown = world.rss("ingest") - before
            assert grown < INGEST_GROWTH_MB, f"ingest grew by {grown:.0f} MB"
            world.recover()
        _in_time(world)

    return act


def _refusals(world: World, count: int) -> None:
    before = world.ledger.answers[503]
    world.until(lambda: world.ledger.answers[503] >= before + count, "ingest answers 503")


def _in_time(world: World) -> None:
    """Every refusal came in time and said when to come again; no request was left waiting."""
    ledger = world.ledger
    world.notes["slowest 503"] = round(ledger.slowest_refusal, 2)
    assert ledger.without_retry_after == 0, "a 503 without Retry-After"
    assert ledger.timed_out == 0, f"{ledger.timed_out} requests got no answer at all"
    slowest = ledger.slowest_refusal
    assert slowest < ANSWER_SECONDS, f"ingest took {slowest:.1f} s to say 503"


ROWS = (
    Row("kill-broker", "SIGKILL of the broker, start on the same data", killed, quick=True),
    Row("broker-away", "the broker stays dead until ingest refused five times", away),
    Row("freeze-broker-10", "SIGSTOP of the broker for 10 s", frozen(10)),
    Row("freeze-broker-60", "SIGSTOP of the broker for 60 s", frozen(60)),
    Row("freeze-broker-120", "SIGSTOP of the broker for 120 s", frozen(120)),
)
