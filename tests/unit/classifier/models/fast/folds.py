"""What the tests of the fold share: corrections, and folding them."""

from collections.abc import Callable, Sequence

from services.classifier.domain.log_records import LogRecord
from services.classifier.models.fast.folding import Fold
from shared.events import CorrectionLogEvent, RefitDue
from tests.builders import NOON, a_correction

TEXTS = [f"{text} {n}" for n in range(40) for text in ("vpn drops", "inbox full", "no wifi")]
TOPICS = ["net", "mail", "net"] * 40
DARK = "the projector is dark"
MakeFold = Callable[[], Fold]


def correction(number: int, text: str, topic: str, actor: str = "kim") -> CorrectionLogEvent:
    return a_correction(event_id=f"c-{number}", actor=actor, topic=topic, body=text)


def refit(number: int) -> RefitDue:
    return RefitDue(event_id=f"r-{number}", received_at=NOON)


def folded(fold: Fold, events: Sequence[CorrectionLogEvent | None]) -> list[str]:
    """Apply events from the fold's offset on, refitting where it is due."""
    outcomes = []
    for event in events:
        outcomes.append(fold.apply(LogRecord(fold.offset, event)))
        if outcomes[-1] == "refit":
            fold.refit()
    return outcomes


def topic_of(fold: Fold, text: str) -> str:
    scores = fold.label([text]).topic
    return scores.classes[int(scores.probabilities[0].argmax())]
