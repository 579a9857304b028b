"""What humans set, taken back and set again while the forecaster dies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.chaos.feeder import Ticket
from tests.chaos.row import Row
from tests.chaos.world import World

TICKETS = 600
ACTORS = ("kim", "ana", "lee")
TOPICS = ("Network", "Hardware", "Access", "Billing")


def corrected(world: World) -> None:
    """Corrections and undos around SIGKILLs, some posted twice: the latest that stand are shown."""
    work = world.tickets(TICKETS)
    posted: list[dict[str, Any]] = []
    with world.feeding(work) as feeder:
        for round_ in range(3):
            world.reach(feeder, 0.25 * (round_ + 1))
            # Of tickets that are known by now and of some that come later.
            batch = [correction(world, ticket, round_) for ticket in world.rng.sample(work, 40)]
            post(world, "corrections", batch)
            posted += batch
            world.forecaster.kill()
            post(world, "undo", _undo(world, corrector=world.rng.choice(ACTORS), number=round_))
            post(world, "undo", _undo(world, correction=batch[0]["event_id"], number=10 + round_))
            world.recover()
    post(world, "corrections", posted)


def correction(world: World, ticket: Ticket, round_: int) -> dict[str, Any]:
    """What somebody sets for `ticket`, said some time last week and not in the order of posts."""
    name, draw = ticket["ticket_id"], world.rng
    said = datetime.now(UTC) - timedelta(seconds=draw.randrange(7 * 86_400))
    values = {
        "topic": draw.choice(TOPICS),
        "priority": draw.choice(("low", "high")),
        "queue": "IT/Hardware",
    }
    chosen = draw.sample(sorted(values), draw.randint(1, 3))
    return {
        "event_id": f"{name}-c{round_}",
        "ticket_id": name,
        "actor": draw.choice(ACTORS),
        "corrected_at": said.isoformat(timespec="milliseconds"),
        "subject": ticket["subject"],
        "body": ticket["body"],
    } | {key: values[key] for key in chosen}


def _undo(world: World, number: int, **what: str) -> dict[str, Any]:
    return {"event_id": f"undo-{world.seed}-{number}-{next(iter(what))}", "actor": "lead"} | what


def post(world: World, what: str, body: list[dict[str, Any]] | dict[str, Any]) -> None:
    """Until ingest takes it."""

    def accepted() -> bool:
        answer = httpx.post(f"{world.url('ingest')}/v1/{what}", json=body, timeout=10)
        assert answer.status_code in {202, 503}, f"{answer.status_code} {answer.text[:300]}"
        return answer.status_code == 202

    world.until(accepted, f"ingest takes {what}")


ROWS = (Row("corrections", "SIGKILL while humans correct and take back", corrected),)
