"""The fold of the correction log as the semantic worker keeps it: with the experts in its head."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.classifier.domain.candidates import LatelyCorrected
from services.classifier.domain.log_records import LogRecord, Place
from services.classifier.learning import LearningLabeller
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Base, Fold
from services.classifier.models.fast.promotion import Promoted
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.semantic.heads import CascadedHead
from shared.events import ModelPromoted

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Expert:
    """Puts the encoder's experts over trained models: at the start, at a reset, at a promotion."""

    base: Base
    promoted: Promoted
    encoder: Encoder

    def begin(self) -> FastLabeller:
        """The model that the log begins with."""
        return self._over(self.base())

    def promote(self, event: ModelPromoted) -> FastLabeller | None:
        """The promoted model, None for a mere reference. Raises ModelUnavailable."""
        found = self.promoted(event)
        return None if found is None else self._over(found)

    def resume(self, fold: Fold) -> None:
        """Put experts into a fold that has none yet: a new one, or one from a snapshot."""
        if fold.promotion is None and fold.corrections == 0 and not fold.offset:
            fold.answer_by(CascadedHead.over(fold.topic, encoder=self.encoder))
            return  # it is the trained model: nothing was said since
        trained = self.promoted(fold.promotion) if fold.promotion else None
        known = CascadedHead.over((trained or self.base()).topic, encoder=self.encoder)
        fold.answer_by(
            CascadedHead.over(
                fold.topic,
                encoder=self.encoder,
                descriptions=fold.topics,
                trained=known.experts,
            )
        )

    def _over(self, labeller: FastLabeller) -> FastLabeller:
        topic = CascadedHead.over(labeller.topic, encoder=self.encoder)
        return FastLabeller(topic, labeller.priority, labeller.identity)


class SemanticLearning:
    """Folds the log like every worker does, and remembers what was corrected lately."""

    def __init__(
        self, fold: Fold, save: Callable[[Fold], None], expert: Expert, target: float
    ) -> None:
        """`fold`: where nothing was saved, without experts yet; target: see LearningLabeller."""
        self.labeller = LearningLabeller(fold, save, target)
        self.corrected = LatelyCorrected()
        self._expert = expert

    @property
    def fold(self) -> Fold:
        """What is known now."""
        return self.labeller.fold

    @property
    def untaught(self) -> bool:
        """Whether the fast model has seen so little that every ticket deserves a second look."""
        head = self.fold.topic
        return isinstance(head, CascadedHead) and head.untaught

    def begin(self, saved: Fold | None, end: int) -> Place:
        """Learn what the models know; the place of the log to read on from. Takes seconds."""
        fold = saved or self.fold
        self._expert.resume(fold)
        log.info("the experts know %s topics at offset %s", len(fold.topics), fold.offset)
        return self.labeller.resume(fold, end)

    def apply(self, records: Sequence[LogRecord]) -> None:
        """Fold the next records of the log."""
        self.corrected.hear(record.event for record in records)
        self.labeller.apply(records)
