"""The fold: a trained model and every record of the correction log applied to it, in order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.classifier.domain.labelling import Labelling, ModelIdentity
from services.classifier.domain.ledger import Correction, Ledger
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller
from shared.events import (
    CorrectionLogEvent,
    CorrectionsUndone,
    LearningReset,
    ModelPromoted,
    ProposalDismissed,
    RefitDue,
    TicketCorrected,
    TopicCreated,
)

Base = Callable[[], FastLabeller]

PROBES: Final = (
    "I cannot sign in any more, my password was reset", "the invoice of march was paid twice",
    "Der Drucker im zweiten Stock druckt nicht", "Не приходит счёт за февраль",
    "where is my order?", "please cancel my subscription and refund the payment", "VPN", "",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LogRecord:
    """One record of the log; `event` is None where the bytes were no event."""

    offset: int
    event: CorrectionLogEvent | None


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
    ) -> None:
        """Begin with what `base` loads, or in the middle of the log with the rest given."""
        self._base = base
        self._labeller = labeller or base()
        self._ledger = ledger or Ledger()
        self._topics = dict(topics or {})
        self._stale = set(stale)
        self.offset = offset

    @property
    def identity(self) -> ModelIdentity:
        """The trained model's, with the offset up to which the log is folded."""
        return replace(self._labeller.identity, log_offset=self.offset)

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
        return replace(self._labeller.label(texts), model=self.identity)

    def apply(self, record: LogRecord) -> str:
        """Fold one record; what came of it in one word, "refit" when `refit` is due here."""
        self.offset = record.offset + 1
        match record.event:
            case None:
                return "unreadable"
            case TicketCorrected() as event:
                return self._correct(self._ledger.add(event))
            case TopicCreated(name=name, description=description):
                self._labeller.topic.add_class(name)
                self._topics[name] = description
            case LearningReset(event_id=event_id):
                return self._reset(event_id)
            case CorrectionsUndone(correction=event_id, corrector=actor):
                self._withdraw(self._ledger.undo(event_id, actor))
                return "refit" if self._stale else "control"
            case RefitDue():
                return "refit" if self._stale else "control"
            case ModelPromoted() | ProposalDismissed():
                pass
        return "control"

    def refit(self) -> bool:
        """Fit what learned since the last refit anew; False when a guard refused."""
        refused = 0
        for name in sorted(self._stale):
            head = self._heads()[name]
            before = head.refused_refits
            head.refit()
            refused += head.refused_refits - before
        self._stale.clear()
        return not refused

    def digest(self) -> str:
        """Digest of the bits answered to fixed probes by every head."""
        return digest_of({name: head.digest(PROBES) for name, head in self._heads().items()})

    def fork(self) -> "Fold":
        """A fold of its own at the same offset."""
        priority = self._labeller.priority
        labeller = FastLabeller(
            self._labeller.topic.fork(),
            priority.fork() if priority else None,
            self._labeller.identity,
        )
        return Fold(
            self._base, labeller, ledger=self._ledger.copy(), topics=self._topics,
            stale=self._stale, offset=self.offset,
        )  # fmt: skip

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
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], base: Base, encoder: Encoder | None = None
    ) -> "Fold":
        """The fold that `state` described. Raises LookupError or ValueError."""
        found = FastLabeller.from_state(state["labeller"], state["version"], encoder)
        identity = replace(found.identity, digest=state["base"])
        return cls(
            base,
            FastLabeller(found.topic, found.priority, identity),
            ledger=Ledger.from_state(state["ledger"]),
            topics=state["topics"],
            stale=state["stale"],
            offset=int(state["offset"]),
        )

    def _heads(self) -> dict[str, TextHead]:
        heads = {"topic": self._labeller.topic}
        if self._labeller.priority is not None:
            heads["priority"] = self._labeller.priority
        return heads

    def _correct(self, correction: Correction | None) -> str:
        if correction is None:
            return "repeated"
        if not correction.text:
            if correction.topic is not None:
                self._labeller.topic.add_class(correction.topic)
            return "textless"
        for name, head in self._heads().items():
            label = getattr(correction, name)
            if label is not None:
                head.correct(correction.text, label)
                self._stale.add(name)
        return "learned"

    def _reset(self, event_id: str) -> str:
        if not self._ledger.hear(event_id):
            return "repeated"
        self._labeller, self._ledger = self._base(), Ledger()
        self._ledger.hear(event_id)
        self._topics.clear()
        self._stale.clear()
        return "control"

    def _withdraw(self, undone: Sequence[Correction]) -> None:
        texts = {each.text for each in undone if each.text}
        for name, head in self._heads().items():
            for text in texts:
                if head.withdraw(text):
                    self._stale.add(name)
        for earlier in self._ledger.latest(texts):
            self._correct(earlier)
