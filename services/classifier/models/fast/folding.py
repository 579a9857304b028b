"""The fold: a trained model and every record of the correction log applied to it, in order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import Labelling, ModelIdentity
from services.classifier.domain.ledger import Correction, Ledger
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.probes import PROBES
from services.classifier.models.fast.promotion import (
    ModelUnavailable,
    Promoted,
    bring_up_to_date,
    no_store,
)
from services.classifier.models.fast.serving import FastLabeller
from shared.events import (
    CorrectionsUndone,
    LearningReset,
    ModelPromoted,
    ProposalDismissed,
    RefitDue,
    TicketCorrected,
    TopicCreated,
    WordsMet,
)

Base = Callable[[], FastLabeller]


class Fold:
    """A model as of one offset of the log. The same records give the same bits in every worker.

    No clock and no chance takes part: when to refit is itself a record of the log.
    """

    def __init__(
        self,
        base: Base,
        labeller: FastLabeller | None = None,
        *,
        ledger: Ledger | None = None,
        topics: Mapping[str, str] | None = None,
        stale: Iterable[str] = (),
        offset: int = 0,
        last: str = "",
        promoted: Promoted = no_store,
        promotion: ModelPromoted | None = None,
        forgotten: int = 0,
        met: Iterable[str] = (),
        judgement: Judgement | None = None,
    ) -> None:
        """Begin with what `base` loads, or in the middle of the log with the rest given.

        last: id of the event before `offset`; promotion: the one in force, whose model `promoted`
        loads in the place of `base`; forgotten: the offset after the last reset; met: words that
        the next `refit` is to encode.
        """
        self._first = base
        self._promoted = promoted
        self._promotion = promotion
        self._due: ModelPromoted | None = None
        self._forgotten = forgotten
        self.unmet: str | None = None
        self._met = list(met)
        self._labeller = labeller or self._base()
        self._ledger = ledger or Ledger()
        self._topics = dict(topics or {})
        self._stale = set(stale)
        self.offset, self.last = offset, last
        self.judgement = judgement or Judgement(self._labeller.topic.calibration)

    @property
    def identity(self) -> ModelIdentity:
        """The trained model's, with the offset up to which the log is folded."""
        return replace(self._labeller.identity, log_offset=self.offset)

    @property
    def promotion(self) -> ModelPromoted | None:
        """The promotion in force; None while the first trained model is."""
        return self._promotion

    @property
    def topic(self) -> TextHead:
        """The head of topics as it is now; a refit, a reset or a promotion may replace it."""
        return self._labeller.topic

    def answer_by(self, topic: TextHead) -> None:
        """Go on with another head that learned the same, say one that holds more beside it."""
        labeller = self._labeller
        self._labeller = FastLabeller(topic, labeller.priority, labeller.identity)

    @property
    def corrections(self) -> int:
        """How many corrections stand."""
        return len(self._ledger)

    @property
    def topics(self) -> dict[str, str]:
        """Every topic the model can answer, with its description or an empty text."""
        return {name: self._topics.get(name, "") for name in self._labeller.topic.classes}

    def label(self, texts: Sequence[str]) -> Labelling:
        """Scores of every head for `texts`, with the identity that gave them."""
        found = self._labeller.label(texts)
        thresholds = self.judgement.thresholds(found.topic.classes)
        return replace(found, model=self.identity, thresholds=thresholds)

    def apply(self, record: LogRecord) -> str:
        """Fold one record; what came of it in one word, "refit" when `refit` is due here.

        A promotion is one of those: its model is loaded by `refit`, which may take its time; and so
        are words that were met: `refit` encodes them.
        """
        self.offset, self.last = record.offset + 1, record.event_id
        outcome = "control"
        match record.event:
            case None:
                outcome = "unreadable"
            case TicketCorrected() as event:
                outcome = self._correct(self._judged(event, record.offset))
            case TopicCreated(name=name, description=description):
                self._labeller.topic.add_class(name, description)
                self._topics[name] = description
            case LearningReset(event_id=event_id):
                outcome = self._reset(event_id)
            case CorrectionsUndone(correction=event_id, corrector=actor):
                self._withdraw(self._ledger.undo(event_id, actor))
                outcome = "refit" if self._stale else "control"
            case RefitDue():
                outcome = "refit" if self._stale else "control"
            case ModelPromoted() as event:
                outcome = self._announce(event)
            case WordsMet(words=words):
                self._met.extend(words)
                outcome = "refit"
            case ProposalDismissed():
                pass
        return outcome

    def refit(self) -> bool:
        """Take up a promoted model, and fit what learned since the last refit anew.

        False when a guard refused. `unmet` says why a promoted model could not be had; everything
        else goes on with the one before.
        """
        if self._due is not None:
            self._rebase(self._due)
        self._labeller.topic.read(self._met)
        self._met.clear()
        kept = self._labeller.refit(self._stale)
        self._stale.clear()
        self.judgement.mark(self.offset)
        return kept

    def take_met_words(self) -> list[str]:
        """Words of tickets labelled here, met often, that the log should tell all workers of."""
        return self._labeller.topic.take_met_words()

    def digest(self) -> str:
        """Digest of the bits answered to fixed probes by every head."""
        return digest_of(
            {name: head.digest(PROBES) for name, head in self._labeller.heads().items()}
        )

    def fork(self) -> "Fold":
        """A fold of its own at the same offset."""
        twin = Fold(
            self._first, self._labeller.fork(), ledger=self._ledger.copy(), topics=self._topics,
            stale=self._stale, offset=self.offset, last=self.last, promoted=self._promoted,
            promotion=self._promotion, forgotten=self._forgotten, judgement=self.judgement.copy(),
            met=self._met,
        )  # fmt: skip
        twin._due, twin.unmet = self._due, self.unmet
        return twin

    def state(self) -> dict[str, Any]:
        """Plain values and arrays, all that folding on needs."""
        return {
            "base": self._labeller.identity.digest,
            "version": self._labeller.identity.version,
            "labeller": self._labeller.state(),
            "ledger": self._ledger.state(),
            "topics": dict(self._topics),
            "stale": sorted(self._stale),
            "offset": self.offset,
            "last": self.last,
            "promotion": self._promotion and self._promotion.model_dump(mode="json"),
            "forgotten": self._forgotten,
            "met": list(self._met),
            "judgement": self.judgement.state(),
        }

    @classmethod
    def from_state(
        cls,
        state: Mapping[str, Any],
        base: Base,
        encoder: Encoder | None = None,
        promoted: Promoted = no_store,
    ) -> "Fold":
        """The fold that `state` described. Raises LookupError or ValueError."""
        found = FastLabeller.from_state(state["labeller"], state["version"], encoder)
        identity = replace(found.identity, digest=state["base"])
        promotion = state["promotion"]
        return cls(
            base,
            FastLabeller(found.topic, found.priority, identity),
            ledger=Ledger.from_state(state["ledger"]),
            topics=state["topics"],
            stale=state["stale"],
            offset=int(state["offset"]),
            last=str(state["last"]),
            promoted=promoted,
            promotion=ModelPromoted.model_validate(promotion) if promotion else None,
            forgotten=int(state["forgotten"]),
            met=state.get("met", ()),
            judgement=Judgement.from_state(state.get("judgement"), found.topic.calibration),
        )

    def _base(self) -> FastLabeller:
        """The latest trained model, afresh."""
        found = self._promoted(self._promotion) if self._promotion else None
        return found or self._first()

    def _judged(self, event: TicketCorrected, offset: int) -> Correction | None:
        """Enter a correction; a text not yet learned is answered once more, before it is."""
        correction = self._ledger.add(event, offset)
        head = self._labeller.topic
        new = correction and correction.text and not self._ledger.repeats(correction.text)
        if correction and new and head.classes:
            self.judgement.hear(event, *head.answer(correction.text))
        return correction

    def _correct(self, correction: Correction | None) -> str:
        if correction is None:
            return "repeated"
        self._stale |= self._labeller.correct(correction)
        return "learned" if correction.text else "textless"

    def _reset(self, event_id: str) -> str:
        if not self._ledger.hear(event_id):
            return "repeated"
        try:
            self._labeller, self.unmet = self._base(), None
        except ModelUnavailable as fault:
            self.unmet = f"the reset: {fault.reason}"
        self._ledger = Ledger()
        self.judgement.restart(self._labeller.topic.calibration)
        self._ledger.hear(event_id)
        self._topics.clear()
        self._stale.clear()
        self._met.clear()
        self._forgotten = self.offset
        return "control"

    def _announce(self, event: ModelPromoted) -> str:
        if not self._ledger.hear(event.event_id):
            return "repeated"
        if 0 < event.log_offset < self._forgotten:
            return "outdated"  # it learned what people have asked to forget since
        self._due = event
        return "refit"

    def _rebase(self, event: ModelPromoted) -> None:
        """Put the promoted model under what was corrected since it was trained.

        What comes of it depends on the ledger, the topics and that model, not on the one before:
        a worker that missed an earlier promotion agrees with the others again from here on.
        """
        self._due = None
        try:
            base = self._promoted(event)
        except ModelUnavailable as fault:
            self.unmet = f"{event.version}: {fault.reason}"
            return
        if base is None:
            return
        self._labeller, self._promotion, self.unmet = base, event, None
        self.judgement.restart(base.topic.calibration)
        standing = list(self._ledger.standing())
        self._stale = bring_up_to_date(base, self._topics, standing, event.log_offset)

    def _withdraw(self, undone: Mapping[str, Correction]) -> None:
        self.judgement.withdraw(undone)
        texts = {each.text for each in undone.values() if each.text}
        self._stale |= self._labeller.withdraw(texts)
        for earlier in self._ledger.latest(texts):
            self._correct(earlier)
