"""What the fold needs to know to change the trained model under what it learned."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.classifier.domain.ledger import Correction
from services.classifier.models.fast.serving import FastLabeller
from shared.events import ModelPromoted

# Loads the promoted model; None where it is one that does not learn, so that nothing answers from
# it. Raises ModelUnavailable.
Promoted = Callable[[ModelPromoted], FastLabeller | None]


@dataclass(frozen=True, slots=True)
class ModelUnavailable(Exception):
    """A promoted model is not there or not what the promotion says; `reason` says which."""

    reason: str


def no_store(event: ModelPromoted) -> FastLabeller | None:
    """Where a fold has no store to load from. Raises ModelUnavailable, always."""
    raise ModelUnavailable(f"nothing was said about where {event.version} is kept")


def bring_up_to_date(
    labeller: FastLabeller,
    topics: Mapping[str, str],
    standing: Sequence[Correction],
    before: int,
) -> set[str]:
    """Tell a model that learned the log before this offset what was named and said since.

    topics: every one named, with its description; standing: every correction not taken back.
    Answers the names of the heads that are to be fitted anew.
    """
    for name, description in topics.items():
        labeller.topic.add_class(name, description)
    stale = withdraw_unsaid(labeller, standing, before)
    for each in standing:
        if each.offset >= before or not each.text:
            stale |= labeller.correct(each)
    return stale


def withdraw_unsaid(
    labeller: FastLabeller, corrections: Iterable[Correction], before: int
) -> set[str]:
    """Take from a model what it was taught before this offset and was taken back since.

    Answers the names of the heads that are to be fitted anew.
    """
    standing = [each for each in corrections if each.text and each.offset < before]
    changed = set()
    for name, head in labeller.heads().items():
        said = {each.text: getattr(each, name) for each in standing if getattr(each, name)}
        for text, label in head.corrections.items():
            if text not in said:
                head.withdraw(text)
            elif said[text] != label:
                head.correct(text, said[text])
            else:
                continue
            changed.add(name)
    return changed
