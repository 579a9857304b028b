"""Records that could not be processed: list, show, put back (repaired) or discard them."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from services.classifier.adapters.parked_topic import Parked, ParkingLot, Place, connect
from services.classifier.commands.times import moment
from shared.clock import utc_now
from shared.errors import BadRequest, DeskstreamError, NotFound
from shared.events import TicketReceived
from shared.parking import describe
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED, RECEIVED

SHOWN_BYTES = 4_000
EPILOG = """examples:
  parked list --since 2h                  what was parked in the last two hours
  parked show 3@1042                      one record, whole
  parked replay --reason model-error      put all of these back: the model was repaired
  parked replay 3@1042 --repaired t.json  put one back with a repaired content
  parked discard 3@1042                   this one will not be processed

Replaying is safe to repeat: an event id is counted once. KAFKA_BOOTSTRAP_SERVERS names the broker.
"""
# What can be done about records of other topics, which only their own writer can repair.
ELSEWHERE = {
    LABELLED.name: "the forecaster could not read a label: look for a classifier of another "
    "version, then post the ticket's event again through ingest (same event id), and discard this",
    CORRECTED.name: "post the correction again through ingest's /v1/corrections, and discard this",
}

Step = Callable[[ParkingLot, argparse.Namespace, Console], Awaitable[int]]


def configure(parser: argparse.ArgumentParser) -> None:
    """The four verbs and their options."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="a table of what waits for a decision")
    listing.add_argument("--all", action="store_true", help="also what was decided already")
    show = verbs.add_parser("show", help="one record, whole")
    show.add_argument("record", type=place, help="as `list` names it: PARTITION@OFFSET")
    replay = verbs.add_parser("replay", help="put records back onto tickets.received.v1")
    replay.add_argument(
        "--repaired", type=Path, metavar="FILE", help="one record's new content: a TicketReceived"
    )
    discard = verbs.add_parser("discard", help="decide that records will not be processed")
    for verb in (replay, discard):
        verb.add_argument("records", type=place, nargs="*", help="as `list` names them")
        verb.add_argument("--all", action="store_true", help="every one that waits")
    for verb in (listing, replay, discard):
        verb.add_argument("--reason", help="only records parked for this reason")
        verb.add_argument(
            "--since",
            type=moment,
            metavar="WHEN",
            help="only records parked since then: 30m, 2h, 7d or 2026-03-01T08:00+01:00",
        )


def execute(args: argparse.Namespace) -> int:
    """Do it. 1 with a sentence where that cannot be done, or not for every record."""
    console = Console(highlight=False, soft_wrap=True)
    try:
        return asyncio.run(_connected(args, console))
    except DeskstreamError as fault:
        console.print(f"parked: {fault.detail}", style="red", markup=False)
        return 1


async def _connected(args: argparse.Namespace, console: Console) -> int:
    async with connect(KafkaSettings()) as lot:
        return await perform(lot, args, console)


async def perform(lot: ParkingLot, args: argparse.Namespace, console: Console) -> int:
    """One verb on a parking lot; the exit code."""
    steps: dict[str, Step] = {
        "list": list_records,
        "show": show_record,
        "replay": replay_records,
        "discard": discard_records,
    }
    return await steps[args.verb](lot, args, console)


async def list_records(lot: ParkingLot, args: argparse.Namespace, console: Console) -> int:
    """What waits for a decision, oldest first."""
    records = [each for each in await lot.records() if args.all or each.resolution is None]
    records = [each for each in records if _matches(each, args)]
    if not records:
        console.print("No parked record waits for a decision." if not args.all else "None.")
        return 0
    table = Table("record", "parked at (UTC)", "reason", "bytes", "what is wrong", "decision")
    for each in records:
        at = f"{each.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        decision = each.resolution or "waits"
        table.add_row(
            str(each.place), at, each.reason, f"{each.size:,}", escape(each.detail), decision
        )
    console.print(table)
    console.print(f"{len(records):,} records. `parked show RECORD` shows one whole.")
    return 0


async def show_record(lot: ParkingLot, args: argparse.Namespace, console: Console) -> int:
    """Everything known of one record."""
    (record,) = await _named(lot, [args.record])
    console.print(f"record    {record.place} (topic {record.place.topic})")
    console.print(f"parked    {record.at.astimezone(UTC).isoformat()}")
    console.print(f"reason    {record.reason}: {record.detail}", markup=False)
    console.print(f"decision  {record.resolution or 'none yet'}")
    value = await lot.original(record.place)
    if value is None:
        console.print(
            f"value     {record.size:,} bytes, not kept; it lies on the topic until its retention"
        )
        return 0
    text = value.decode("utf-8", "backslashreplace")
    more = f" ... {len(text) - SHOWN_BYTES:,} more" if len(text) > SHOWN_BYTES else ""
    console.print(f"value     {record.size:,} bytes:")
    console.print(text[:SHOWN_BYTES] + more, markup=False)
    return 0


async def replay_records(lot: ParkingLot, args: argparse.Namespace, console: Console) -> int:
    """Put back what decodes now; the rest is named and stays."""
    chosen = await _chosen(lot, args, console)
    if args.repaired is not None:
        if len(args.records) != 1:
            raise BadRequest("--repaired goes with exactly one record")
        for record in chosen:
            await _put_back(lot, record, _read_repaired(args.repaired))
            console.print(f"{record.place} was put back, repaired")
        return 0
    failed = 0
    for record in chosen:
        outcome = await _decoded(lot, record)
        if isinstance(outcome, str):
            failed += 1
            console.print(f"{record.place} stays: {outcome}", style="yellow", markup=False)
        else:
            await _put_back(lot, record, outcome)
    console.print(f"{len(chosen) - failed:,} put back, {failed:,} stay parked")
    return 1 if failed else 0


async def discard_records(lot: ParkingLot, args: argparse.Namespace, console: Console) -> int:
    """Mark as decided. The record itself stays on the topic until its retention."""
    chosen = await _chosen(lot, args, console)
    for record in chosen:
        await lot.resolve(record, "discarded", utc_now())
    console.print(f"{len(chosen):,} discarded")
    return 0


async def _chosen(lot: ParkingLot, args: argparse.Namespace, console: Console) -> list[Parked]:
    """The records meant, without those that were decided already."""
    if not (args.records or args.all or args.reason or args.since):
        raise BadRequest("name the records, or choose by --reason, --since or --all")
    found = await (_named(lot, args.records) if args.records else lot.records())
    found = [each for each in found if _matches(each, args)]
    for each in found:
        if each.resolution and args.records:
            console.print(f"{each.place} was {each.resolution} at {each.resolved_at}: left alone")
    return [each for each in found if each.resolution is None]


async def _named(lot: ParkingLot, places: list[Place]) -> list[Parked]:
    known = {each.place: each for each in await lot.records()}
    missing = [str(each) for each in places if each not in known]
    if missing:
        raise NotFound(f"no parked record {', '.join(missing)}; `parked list --all` names them")
    return [known[each] for each in places]


async def _decoded(lot: ParkingLot, record: Parked) -> TicketReceived | str:
    """The ticket, or why this record cannot be put back as it is."""
    if record.place.topic != RECEIVED.name:
        return ELSEWHERE.get(record.place.topic, f"{record.place.topic} is not replayed from here")
    value = await lot.original(record.place)
    if value is None:
        return f"its {record.size:,} bytes were not kept; use --repaired FILE"
    try:
        return TicketReceived.model_validate_json(value)
    except ValidationError as error:
        return f"{describe(error)}; use --repaired FILE"


async def _put_back(lot: ParkingLot, record: Parked, ticket: TicketReceived) -> None:
    # In this order: a crash in between leads to a second replay of the same event id, which
    # changes nothing; the other order would lose the ticket.
    await lot.put_back(ticket)
    await lot.resolve(record, "replayed", utc_now())


def _read_repaired(path: Path) -> TicketReceived:
    try:
        return TicketReceived.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise BadRequest(f"{path} is no TicketReceived: {describe(error)}") from error


def _matches(record: Parked, args: argparse.Namespace) -> bool:
    return (args.reason is None or record.reason == args.reason) and (
        args.since is None or record.at >= args.since
    )


def place(text: str) -> Place:
    """A record's name, for argparse."""
    try:
        return Place.parse(text)
    except BadRequest as error:
        raise argparse.ArgumentTypeError(error.detail) from error
