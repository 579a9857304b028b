"""What was parked is put back, by a command that dies on the way and is given again."""

import asyncio
from collections import Counter

from deploy.local.processes import ChildProcess
from shared.events import PARKING_RECORD, RecordResolved, TicketReceived
from shared.topics import PARKED, RECEIVED
from tests.chaos import logbook
from tests.chaos.labelling import EXPLOSIVE, PROGRAM
from tests.chaos.row import Row
from tests.chaos.rows.inputs import parked
from tests.chaos.world import Setup, World

TICKETS = 600
SPOILT = 200
KILLS = 6
# Decisions of one command until it dies, at most.
MOST_DECISIONS = 8
REPLAY_SECONDS = 120.0


def replayed(world: World) -> None:
    """A model fails on many tickets, is repaired, and they are put back: each one is labelled."""
    work = world.tickets(TICKETS)
    spoilt = work[:: TICKETS // SPOILT][:SPOILT]
    for ticket in spoilt:
        ticket["subject"] = f"please {EXPLOSIVE}"
    with world.feeding(work):
        pass
    world.until(world.at_rest, "everything is labelled or parked")
    assert asyncio.run(parked(world)).total() == SPOILT
    for number in range(world.setup.classifiers):
        name = f"classifier-{number}"
        world.stop(name)
        world.run(name, PROGRAM, CHAOS_LABELLER="plain")
    for number in range(KILLS):
        _put_back_some(world, f"replay-{number}")
    last = _replay(world, "replay-last")
    assert last.wait(REPLAY_SECONDS) == 0, last.log.read_text()[-500:]
    world.until(world.at_rest, "everything is labelled")
    names = [f"ticket:{ticket['ticket_id']}" for ticket in spoilt]
    found = world.store.exists(*names)
    assert found == SPOILT, f"{found} of {SPOILT} tickets that were put back are in Redis"
    times = asyncio.run(_times_received(world))
    again = sum(times[ticket["ticket_id"]] - 2 for ticket in spoilt)
    # A command that dies may have put one back and not yet said so.
    assert again <= KILLS, f"{again} tickets were put back once more than needed"


def _replay(world: World, name: str) -> ChildProcess:
    command = world.process(name, "services.classifier", "parked", "replay", "--all")
    command.start()
    return command


def _put_back_some(world: World, name: str) -> None:
    """Start the command, and kill it once it has written a few decisions."""
    enough = asyncio.run(_decisions(world)) + world.rng.randint(1, MOST_DECISIONS)
    command = _replay(world, name)
    try:
        world.until(
            lambda: asyncio.run(_decisions(world)) >= enough or not command.is_alive(),
            "some are put back",
        )
    finally:
        command.kill()


async def _decisions(world: World) -> int:
    entries = await logbook.read(world.bootstrap, PARKED)
    read = (PARKING_RECORD.validate_json(e.value or b"") for part in entries.values() for e in part)
    return sum(isinstance(record, RecordResolved) for record in read)


async def _times_received(world: World) -> Counter[str]:
    entries = await logbook.read(world.bootstrap, RECEIVED)
    return Counter(
        TicketReceived.model_validate_json(e.value or b"").ticket_id
        for part in entries.values()
        for e in part
    )


ROWS = (
    Row(
        "kill-replay",
        "SIGKILL of the command that puts parked records back",
        replayed,
        Setup(classifier=PROGRAM, environment=(("CHAOS_LABELLER", "fragile"),)),
        spoils=True,
    ),
)
