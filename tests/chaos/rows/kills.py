"""SIGKILL of services at random moments, while tickets keep coming."""

import asyncio
import time
from collections.abc import Callable

from shared.events import LABEL_RECORD, LabelUpdated
from shared.topics import LABELLED
from tests.chaos import logbook
from tests.chaos.labelling import PROGRAM
from tests.chaos.row import Row
from tests.chaos.rows.humans import correction, post
from tests.chaos.world import Setup, World

TICKETS = 1_000
KILLS = 2
# Said beforehand of tickets that get a second look later.
CORRECTED = 60
CLASSIFIERS = ("classifier-0", "classifier-1")
# Ten seconds of work for two classifiers whose model needs a twentieth per ticket.
BACKLOG = 400
# A call of the model takes two: the blow falls somewhere into one.
WORKING_SECONDS = (0.5, 3.0)
FREEZE_SECONDS = 4.0
STOP_SECONDS = 25.0
LAG = "deskstream_intake_lag_records"


def killing(*victims: str) -> Callable[[World], None]:
    """Kill one of `victims` a few times, each time as soon as everything flows again."""

    def act(world: World) -> None:
        moments = sorted(world.rng.uniform(0.05, 0.9) for _ in range(KILLS))
        with world.feeding(TICKETS) as feeder:
            for moment in moments:
                world.reach(feeder, moment)
                world.services[world.rng.choice(victims)].kill()
                world.recover()

    return act


def everything_at_once(world: World) -> None:
    """Power fails for all processes but the disks: every one is killed at the same moment."""
    with world.feeding(TICKETS) as feeder:
        world.reach(feeder, world.rng.uniform(0.2, 0.8))
        for service in world.services.values():
            service.kill()
        world.broker.kill()
        world.valkey.kill()
        world.valkey.start()
        world.broker.start()
        world.recover()


def gateway(world: World) -> None:
    """The gateway keeps nothing: after a SIGKILL it answers as before."""
    work = world.tickets(200)
    served = world.run("gateway", "services.gateway")
    try:
        world.until(lambda: world.reason("gateway") == "", "the gateway is ready")
        with world.feeding(work) as feeder:
            world.reach(feeder, 0.5)
            served.kill()
        world.until(lambda: world.served(work[-1]["ticket_id"]), "the gateway serves it again")
    finally:
        world.stop("gateway")


def busy(world: World) -> None:
    """A classifier ends while seconds of its work are read and not sent, or sent and not kept.

    With SIGTERM, with SIGKILL, and with SIGKILL while the broker does not answer: an offset that
    ran ahead of its labels loses them here, where a quick model would have sent them long since.
    """
    for blow in (_asked_to_end, _killed, _killed_unheard):
        world.recover()
        with world.feeding(BACKLOG, rate=BACKLOG, batch=100) as feeder:
            world.reach(feeder, 1.0)
        _pass(world, world.rng.uniform(*WORKING_SECONDS))
        blow(world, world.rng.choice(CLASSIFIERS))
    world.recover()


def _pass(world: World, seconds: float) -> None:
    over = time.monotonic() + seconds
    world.until(lambda: time.monotonic() > over, f"{seconds:.1f} s are over", 10 * seconds)


def _asked_to_end(world: World, victim: str) -> None:
    world.services[victim].terminate()
    code = world.services[victim].wait(STOP_SECONDS)
    assert code is not None, f"{victim} still runs {STOP_SECONDS:.0f} s after SIGTERM"


def _killed(world: World, victim: str) -> None:
    world.services[victim].kill()


def _killed_unheard(world: World, victim: str) -> None:
    """What it sends meanwhile lies in buffers, on its own side or the broker's."""
    world.broker.freeze()
    try:
        _pass(world, FREEZE_SECONDS)
        world.services[victim].kill()
    finally:
        world.broker.thaw()


def semantic(world: World) -> None:
    """The second look dies at random: labels stay, what it adds is added once or not at all.

    What humans said of a ticket before it was looked at again stands.
    """
    before = asyncio.run(_updates(world))
    work = world.tickets(TICKETS)
    said = [correction(world, ticket, 0) for ticket in world.rng.sample(work, CORRECTED)]
    worker = world.run(
        "semantic",
        "services.classifier",
        "semantic",
        SEMANTIC_SHARE="1",
        SEMANTIC_CPU_SHARE="1",
        SEMANTIC_MOST_BEHIND_SECONDS="3600",
    )
    try:
        world.until(lambda: world.reason("semantic") == "", "the semantic worker is ready")
        post(world, "corrections", said)
        with world.feeding(work) as feeder:
            for moment in sorted(world.rng.uniform(0.2, 0.9) for _ in range(KILLS)):
                world.reach(feeder, moment)
                worker.kill()
                world.recover()
                world.until(lambda: world.reason("semantic") == "", "it is ready again")
        world.until(lambda: asyncio.run(_updates(world)) > before, "tickets got a second look")
        world.until(lambda: world.metric("semantic", LAG) == 0, "it has caught up")
    finally:
        world.stop("semantic")


async def _updates(world: World) -> int:
    """How many labels were updated, of all that the topic ever held."""
    entries = await logbook.read(world.bootstrap, LABELLED)
    records = (
        LABEL_RECORD.validate_json(e.value or b"") for part in entries.values() for e in part
    )
    return sum(isinstance(record, LabelUpdated) for record in records)


ROWS = (
    Row("kill-ingest", "SIGKILL of ingest", killing("ingest"), quick=True),
    Row(
        "kill-classifier",
        "SIGKILL of classifiers",
        killing("classifier-0", "classifier-1"),
        quick=True,
    ),
    Row(
        "kill-busy-classifier",
        "SIGTERM and SIGKILL of classifiers with work under way",
        busy,
        Setup(
            classifier=PROGRAM,
            # Many chunks share a call of the model, and what they finished is committed at once.
            environment=(
                ("CHAOS_LABELLER", "slow"),
                ("INTAKE_MAX_RECORDS", "4"),
                ("INTAKE_COMMIT_SECONDS", "0.05"),
            ),
        ),
    ),
    Row("kill-forecaster", "SIGKILL of the forecaster", killing("forecaster"), quick=True),
    Row("kill-gateway", "SIGKILL of the gateway", gateway),
    Row("kill-semantic", "SIGKILL of the semantic worker", semantic),
    Row("kill-everything", "SIGKILL of every process at one moment", everything_at_once),
)
