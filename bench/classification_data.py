"""The ticket sets that classification is measured on: real ones where they are, else made up."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from services.classifier.evaluation.splits import stratified_split
from services.classifier.evaluation.tables import Columns, LabelledTickets, read_tickets

SEED = 0
THINGS = ("vpn", "printer", "mailbox", "laptop", "badge", "invoice", "wiki", "phone", "calendar")
FAULTS = (
    "is down",
    "is slow",
    "cannot be reached",
    "shows an error",
    "was lost",
    "must be renewed",
)


@dataclass(frozen=True, slots=True)
class TicketSet:
    """Training and held-out tickets; out_of_scope is empty where the set has none."""

    name: str
    train: LabelledTickets
    test: LabelledTickets
    out_of_scope: list[str]


def data_directory() -> Path | None:
    """DESKSTREAM_DATA, else shared/data beside the checkout; None where neither is a folder."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    given = Path(os.environ.get("DESKSTREAM_DATA", beside))
    return given if given.is_dir() else None


def banking(root: Path) -> TicketSet:
    """77 intents of one bank, short; four fifths against one."""
    columns = Columns("text", "category")
    return _split("banking77", read_tickets(root / "banking77" / "train.csv.gz", columns))


def clinc(root: Path) -> TicketSet:
    """150 intents as published, training against validation, with out-of-scope queries."""
    folder, columns = root / "clinc150", Columns("text", "intent")
    strange = [
        text
        for name in ("oos_train.csv.gz", "oos_val.csv.gz")
        for text in read_tickets(folder / name, Columns("text")).texts
    ]
    return TicketSet(
        "clinc150",
        read_tickets(folder / "train.csv.gz", columns),
        read_tickets(folder / "val.csv.gz", columns),
        strange,
    )


def it_tickets(root: Path) -> TicketSet:
    """Real IT tickets of eight queues, long; four fifths against one."""
    columns = Columns("Document", "Topic_group")
    return _split("it_tickets", read_tickets(root / "it_tickets" / "dev.csv.gz", columns))


def made_up(rows: int = 4_000) -> TicketSet:
    """A set from a grammar, for machines without the real ones; says nothing about real tickets."""
    generator = np.random.default_rng(SEED)
    frames = (
        "{thing} {fault}",
        "since this morning my {thing} {fault}",
        "hello, the {thing} {fault}, please help",
        "{thing} on floor {number} {fault} again",
    )
    texts, labels = [], []
    for number in range(rows):
        thing, fault = generator.choice(THINGS), generator.choice(FAULTS)
        texts.append(generator.choice(frames).format(thing=thing, fault=fault, number=number % 9))
        # A tenth of noise, so that no model can be perfect.
        labels.append(str(thing if generator.random() > 0.1 else generator.choice(THINGS)))
    return _split("made-up", LabelledTickets(list(range(rows)), texts, labels, [], 0))


def _split(name: str, tickets: LabelledTickets) -> TicketSet:
    train, test = stratified_split(tickets, SEED)
    return TicketSet(name, train, test, [])
