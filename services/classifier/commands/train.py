"""Make a model from a CSV of labelled tickets, judge it on a hold-out, and put it in use."""

import argparse
import os
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.table import Table

from services.classifier.adapters.artifact_store import ArtifactStore, LocalDirectory
from services.classifier.adapters.artifacts import TwoHeads, save
from services.classifier.adapters.material import FOLDER, Row, keep
from services.classifier.commands.encoder_option import add_encoder_option, choose_named_encoder
from services.classifier.commands.terminal import progress
from services.classifier.domain.labelling import ModelIdentity, Probabilities
from services.classifier.evaluation.metrics import (
    Answers,
    accuracy,
    expected_calibration_error,
    macro_f1,
    majority_accuracy,
)
from services.classifier.evaluation.tables import (
    Columns,
    LabelledTickets,
    UnusableData,
    read_tickets,
)
from shared.errors import DeskstreamError

FAMILIES = ("fast", "batch")
# What each family says while it fits a head, and once beside its heads.
STEPS_PER_HEAD = {"fast": 1, "batch": 3}
# Labels of held-out rows and what was answered before they were learned.
HeldOutAnswers = tuple[tuple[str, ...], Probabilities]


class JudgedHead(Protocol):
    """One head of a labeller that was just fitted."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    def held_out_answers(self) -> HeldOutAnswers | None: ...


class FittedLabeller(TwoHeads, Protocol):
    """A labeller of either family, fresh from its fit."""

    @property
    def topic(self) -> JudgedHead: ...

    @property
    def priority(self) -> JudgedHead | None: ...


def share(text: str) -> float:
    """A number in (0, 1], for argparse."""
    value = float(text)
    if not 0.0 < value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a share above 0 and up to 1")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    parser.add_argument("--data", type=Path, required=True, help="a CSV or CSV.gz file")
    parser.add_argument("--text", required=True, help="the column of the ticket's text")
    parser.add_argument("--label", required=True, help="the column of its topic")
    parser.add_argument("--subject", help="the column of its subject, put before the text")
    parser.add_argument("--priority", help="the column of its priority: a second head is trained")
    parser.add_argument(
        "--first",
        type=share,
        default=1.0,
        metavar="SHARE",
        help="use only this first share of the rows, in file order (default: all)",
    )
    parser.add_argument(
        "--models",
        type=Path,
        help="where models are kept (default: $CLASSIFIER_MODELS, else .local/models)",
    )
    parser.add_argument(
        "--model",
        choices=FAMILIES,
        default="fast",
        help="fast: serves in microseconds and learns from corrections (default); "
        "batch: scikit-learn, slow and frozen, a teacher and a reference",
    )
    add_encoder_option(parser)
    parser.add_argument("--seed", type=int, default=0, help="draws the hold-out (default: 0)")


def execute(args: argparse.Namespace) -> int:
    """Train, print the figures, save and promote. 1 with a sentence when that cannot be done."""
    console = Console(stderr=True)
    directory = args.models or Path(os.environ.get("CLASSIFIER_MODELS", ".local/models"))
    columns = Columns(args.text, args.label, args.subject, args.priority)
    try:
        if args.model == "fast":
            choose_named_encoder(args)
        tickets = read_tickets(args.data, columns)
        tickets = tickets.take(range(int(len(tickets) * args.first)))
        store = LocalDirectory(directory)
        kept = LocalDirectory(directory / FOLDER)
        identity = train_and_promote(store, tickets, args.model, args.seed, console, material=kept)
    except DeskstreamError as fault:
        console.print(
            f"train: {fault.detail}", style="red", highlight=False, markup=False, soft_wrap=True
        )
        return 1
    print(f"{identity.name} {identity.version} is in use from {directory}")
    return 0


def train_and_promote(
    store: ArtifactStore,
    tickets: LabelledTickets,
    family: str,
    seed: int,
    console: Console,
    *,
    material: ArtifactStore | None = None,
) -> ModelIdentity:
    """Fit, show the figures of the hold-out, save, promote. Raises UnusableData."""
    labeller = fit(tickets, family, seed, console)
    figures: dict[str, float | int | str] = {
        "rows": len(tickets),
        "skipped_rows": tickets.skipped,
        "seed": seed,
    }
    table = Table("head", "held-out rows", "accuracy", "majority class", "macro-F1", "ECE")
    for name, head, labels in (
        ("topic", labeller.topic, tickets.labels),
        ("priority", labeller.priority, tickets.priorities),
    ):
        if head is not None:
            judged = judge(head, labels)
            table.add_row(name, *_cells(judged))
            figures |= {f"{name}_{key}": value for key, value in judged.items()}
    Console().print(table)
    # So that `retrain` can train on them again, together with what was corrected since.
    kept = None if material is None else keep(material, rows_of(tickets))
    identity = save(store, labeller, figures, material=kept)
    store.promote(identity.version)
    return identity


def rows_of(tickets: LabelledTickets) -> Iterator[Row]:
    """The tickets as material of later trainings."""
    for at, text in enumerate(tickets.texts):
        yield Row(text, tickets.labels[at], tickets.priorities[at] if tickets.priorities else None)


def fit(tickets: LabelledTickets, family: str, seed: int, console: Console) -> FittedLabeller:
    """Train both heads with a progress bar. Raises UnusableData where there is one class only."""
    total = 1 + STEPS_PER_HEAD[family] * (2 if tickets.priorities else 1)
    steps = count()
    train = _fast if family == "fast" else _batch
    with progress(console) as report:
        try:
            return train(tickets, seed, lambda step: report(step, next(steps), total))
        except ValueError as fault:
            raise UnusableData(f"these rows cannot be learned from: {fault}") from fault


# Each family is imported when it is asked for: scikit-learn takes five seconds of CPU to load.
def _fast(tickets: LabelledTickets, seed: int, report: Callable[[str], None]) -> FittedLabeller:
    from services.classifier.models.encoding.deferred import DeferredEncoder  # noqa: PLC0415
    from services.classifier.models.fast.serving import FastLabeller  # noqa: PLC0415

    return FastLabeller.train(
        tickets.texts, tickets.labels, tickets.priorities or None,
        seed=seed, encoder=DeferredEncoder(), report=report,
    )  # fmt: skip


def _batch(tickets: LabelledTickets, seed: int, report: Callable[[str], None]) -> FittedLabeller:
    from services.classifier.models.batch.classifier import BatchLabeller  # noqa: PLC0415

    return BatchLabeller.train(
        tickets.texts, tickets.labels, tickets.priorities or None, seed=seed, report=report
    )


def judge(head: JudgedHead, labels: list[str]) -> dict[str, float]:
    """Figures on the rows the head had not seen; empty when there were too few to hold out."""
    held_out = head.held_out_answers()
    if held_out is None:
        return {}
    truth, probabilities = held_out
    answers = Answers.of(truth, head.classes, probabilities)
    return {
        "held_out_rows": len(truth),
        "accuracy": accuracy(answers),
        "majority_accuracy": majority_accuracy(labels, truth),
        "macro_f1": macro_f1(answers),
        "ece": expected_calibration_error(answers),
    }


def _cells(judged: dict[str, float]) -> list[str]:
    if not judged:
        return ["too few rows", "-", "-", "-", "-"]
    return [
        f"{judged['held_out_rows']:.0f}",
        *(f"{judged[key]:.3f}" for key in ("accuracy", "majority_accuracy", "macro_f1", "ece")),
    ]
