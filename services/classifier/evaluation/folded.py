"""The serving model as `evaluate` judges it: every correction goes through the fold of the log."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ModelIdentity, Probabilities
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.calibration import HeldOut
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller
from shared.events import CorrectionLogEvent, RefitDue, TicketCorrected, WordsMet

# The fold looks at no clock: any moment will do.
_MOMENT: Final = datetime(2000, 1, 1, tzinfo=UTC)


class FoldedClassifier:
    """An OnlineClassifier that learns by records of a correction log, as every worker does.

    There is no second path: `correct` and `refit` write the record that ingest would write, and
    apply it as a worker would.
    """

    def __init__(self, *, seed: int = 0, encoder: Encoder | None = None) -> None:
        self._seed = seed
        self._encoder = encoder
        self._begin(FastLabeller(self._head(), None, ModelIdentity("fast", "untrained", "")))

    @property
    def classes(self) -> tuple[str, ...]:
        return self._labeller.topic.classes

    @property
    def held_out(self) -> HeldOut:
        """Rows that the last `fit` judged itself on."""
        return self._labeller.topic.held_out

    @property
    def refused_refits(self) -> int:
        """How many refits the guard refused since the last `fit`."""
        return self._labeller.topic.refused_refits

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Train from scratch and begin a new log. ValueError with fewer than two classes."""
        topic = self._head()
        topic.fit(texts, labels)
        self._begin(FastLabeller(topic, None, ModelIdentity("fast", "trained", "")))

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes), rows sum to 1."""
        return self._fold.label(texts).topic.probabilities

    def logits(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Calibrated logits, shape (texts, classes): predict_proba is their softmax."""
        return self._labeller.topic.logits(texts)

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): higher means less like anything learned."""
        return self._labeller.topic.novelty(texts)

    def correct(self, text: str, label: str) -> None:
        """A human's correction of one ticket."""
        number = self._fold.offset
        self._apply(
            TicketCorrected(
                event_id=f"correction-{number}", ticket_id=f"ticket-{number}",
                corrected_at=_MOMENT, received_at=_MOMENT, actor="evaluate",
                topic=label, body=text,
            )
        )  # fmt: skip

    def refit(self) -> None:
        """The mark that follows a pause in the corrections."""
        self._apply(RefitDue(event_id=f"refit-{self._fold.offset}", received_at=_MOMENT))

    def encode_pending(self, most: int = 1024) -> int:
        """Encode at most so many words that were met often since; how many were told."""
        told = 0
        while told < most and (words := self._fold.take_met_words()):
            number = self._fold.offset
            self._apply(
                WordsMet(event_id=f"words-{number}", received_at=_MOMENT, words=tuple(words))
            )
            told += len(words)
        return told

    def _apply(self, event: CorrectionLogEvent) -> None:
        if self._fold.apply(LogRecord(self._fold.offset, event)) == "refit":
            self._fold.refit()

    def _head(self) -> TextHead:
        return TextHead(seed=self._seed, encoder=self._encoder)

    def _begin(self, labeller: FastLabeller) -> None:
        self._labeller = labeller
        self._fold = Fold(lambda: labeller, labeller)
