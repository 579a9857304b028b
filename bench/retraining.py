"""A round of `retrain`: what the gate says of the challenger, and what later tickets say of it.

A model is trained on the first tickets, labels a stream of others, and part of its wrong labels is
corrected. Tickets that neither the stream nor the first ones contain tell the truth.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from bench.classification_data import TicketSet, data_directory, it_tickets
from bench.row import Row, row
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.artifacts import load
from services.classifier.adapters.promotion_desk import MemoryPromotionDesk
from services.classifier.adapters.training_log import MemoryTrainingLog
from services.classifier.commands.train import train_and_promote
from services.classifier.domain.labelling import Labeller
from services.classifier.evaluation.tables import LabelledTickets
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.training.challenger import answers
from services.classifier.training.champions import Champions
from services.classifier.training.reading import CorrectionsRead
from services.classifier.training.rounds import Options, Round, Trainer
from shared.clock import utc_now
from shared.events import ModelStamp, TicketCorrected, TicketLabelled

SEED = 1
FIRST_SHARE, STREAM_SHARE = 0.3, 0.5
START = datetime(2026, 1, 1, tzinfo=UTC)
STAMP = ModelStamp(name="fast", version="v", digest="d")


@dataclass(frozen=True, slots=True)
class Desk:
    """A trained model in its store, and what it said of a stream of tickets."""

    models: LocalDirectory
    material: LocalDirectory
    champion: Labeller
    stream: LabelledTickets
    later: LabelledTickets

    def events(self, corrected: float) -> tuple[list[TicketCorrected], list[TicketLabelled]]:
        """The logs where this share of the wrong labels was corrected."""
        scores = answers(self.champion, "topic", self.stream.texts)
        best: NDArray[np.intp] = scores.probabilities.argmax(axis=1)
        looked_at = np.random.default_rng(SEED).random(len(best)) < corrected
        labels, corrections = [], []
        for at, (text, truth) in enumerate(zip(self.stream.texts, self.stream.labels, strict=True)):
            said, moment = scores.classes[best[at]], START + timedelta(minutes=at)
            sure = {said: float(scores.probabilities[at, best[at]])}
            labels.append(
                TicketLabelled(
                    event_id=f"e{at}", ticket_id=f"t{at}", created_at=moment, received_at=moment,
                    labelled_at=moment, src_offset=at, body=text, topic=said, topic_scores=sure,
                    model=STAMP,
                )
            )  # fmt: skip
            if said != truth and looked_at[at]:
                corrections.append(
                    TicketCorrected(
                        event_id=f"c{at}", ticket_id=f"t{at}", corrected_at=moment,
                        received_at=moment, actor="kim", topic=truth, body=text,
                    )
                )  # fmt: skip
        return corrections, labels

    def corrected(self, corrected: float, cut: int) -> Labeller:
        """The model with the corrections before the cut learned: what a challenger has to beat."""
        read = CorrectionsRead()
        for offset, event in enumerate(self.events(corrected)[0]):
            read.add(offset, event)
        return Champions(self.models, self.material, read, DeferredEncoder()).before("fast", cut)

    def accuracy(self, model: Labeller) -> float:
        """On tickets that nobody has seen."""
        scores = answers(model, "topic", self.later.texts)
        said = np.array(scores.classes)[scores.probabilities.argmax(axis=1)]
        return float((said == np.array(self.later.labels)).mean())


def rows(*, quick: bool) -> list[Row]:
    """Accuracy of champion and challenger, and the gate's estimate; none without the real tickets.

    Made-up tickets repeat themselves, and what was learned cannot be judged on.
    """
    root = data_directory()
    if root is None:
        return []
    tickets = it_tickets(root)
    found: list[Row] = []
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        desk = _desk(tickets, Path(folder))
        for corrected in (1.0,) if quick else (1.0, 0.3, 0.1):
            result = asyncio.run(_round(desk, corrected))
            name = f"{tickets.name}: retrained, {corrected:.0%} of wrong labels corrected"
            found += _rows_of(desk, name, corrected, result)
    return found


def _rows_of(desk: Desk, name: str, corrected: float, result: Round) -> Iterator[Row]:
    if not result.heads:
        raise RuntimeError(f"{name}: nothing was judged: {result.reason}")
    [gate] = [
        each for each in result.heads["topic"].verdict.differences if "ccuracy" in each.figure
    ]
    said = gate.challenger - gate.champion
    if result.version is None:
        yield row(f"{name}: refused; gate's difference", said, "share")
        return
    before = desk.accuracy(desk.corrected(corrected, result.log_offset))
    after = desk.accuracy(load(desk.models, result.version))
    beside = {"baseline": "the model with these corrections", "baseline_value": before}
    yield row(f"{name}: accuracy", after, "share", **beside, ratio_at_least=1.0)  # type: ignore[arg-type]
    beside = {"baseline": "so it was", "baseline_value": after - before}
    yield row(f"{name}: gate's difference", said, "share", **beside)  # type: ignore[arg-type]
    yield row(f"{name}: CPU", result.cpu_seconds, "s")


async def _round(desk: Desk, corrected: float) -> Round:
    trainer = Trainer(
        MemoryTrainingLog(*desk.events(corrected)), desk.models, desk.material,
        MemoryPromotionDesk(), encoder=DeferredEncoder(), clock=utc_now, report=_silent,
    )  # fmt: skip
    [result] = await trainer.train(["fast"], Options())
    return result


def _silent(step: str, done: int, total: int) -> None:
    del step, done, total


def _desk(tickets: TicketSet, folder: Path) -> Desk:
    texts = [*tickets.train.texts, *tickets.test.texts]
    labels = [*tickets.train.labels, *tickets.test.labels]
    order = np.random.default_rng(SEED).permutation(len(texts))
    first, second = (
        round(share * len(texts)) for share in (FIRST_SHARE, FIRST_SHARE + STREAM_SHARE)
    )
    begin, stream, later = (
        _some(texts, labels, order[part])
        for part in (slice(None, first), slice(first, second), slice(second, None))
    )
    models, material = LocalDirectory(folder), LocalDirectory(folder / ".material")
    quiet = Console(quiet=True)
    identity = train_and_promote(models, begin, "fast", 0, quiet, material=material)
    return Desk(models, material, load(models, identity.version), stream, later)


def _some(
    texts: Sequence[str], labels: Sequence[str], chosen: NDArray[np.int64]
) -> LabelledTickets:
    places = chosen.tolist()
    return LabelledTickets(places, [texts[i] for i in places], [labels[i] for i in places], [], 0)
