"""From what was read to what is learned and what is judged on: disjoint, the newest judged on."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.hindsight import Hindsight
from services.classifier.evaluation.gate import FEWEST_TICKETS
from services.classifier.training.reading import CorrectionsRead, Decision, LabelsRead, Served

HELD_OUT_SHARE: Final = 0.2
MOST_HELD_OUT: Final = 2_000
# An untouched label that is at least so likely right teaches more than it misleads: with fewer of
# them, or with all of them, accuracy was lower where a third of the wrong labels was corrected.
SURE: Final = 0.8


@dataclass(frozen=True, slots=True)
class Example:
    """A text and what it is. values: by head; corrected: said by a human, so it can be undone."""

    text: str
    values: Mapping[str, str]
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Tickets that neither model learned, of one head.

    weights: shape (tickets,), how many tickets of the log each stands for; decided: how many of
    them a human said; the rest was labelled and left alone.
    """

    texts: list[str]
    labels: list[str]
    weights: NDArray[np.float64]
    decided: int
    hindsight: Hindsight


def choose_cut(decisions: Sequence[Decision], unlearned: int) -> Decision | None:
    """The first of the newest decisions that are held out; None where there are too few.

    unlearned: an offset before which the champion has learned.
    """
    fresh = [each for each in decisions if each.offset >= unlearned]
    if len(fresh) < FEWEST_TICKETS:
        return None
    share = round(HELD_OUT_SHARE * len(decisions))
    return fresh[-min(max(share, FEWEST_TICKETS), MOST_HELD_OUT, len(fresh))]


class Evidence:
    """One reading of the logs, split at the cut."""

    def __init__(
        self, cut: Decision, decisions: Sequence[Decision], labels: LabelsRead, sure: float = SURE
    ) -> None:
        """`sure`: how likely right an untouched label must be to be learned; above 1 for none."""
        self.cut = cut.offset
        self._cut_at = cut.at
        self._sure = sure
        self._learned = [each for each in decisions if each.offset < cut.offset]
        self._judged = [each for each in decisions if each.offset >= cut.offset]
        self._labels = labels

    def examples(self, material: Sequence[Example]) -> list[Example]:
        """Everything to learn: the original material, sure untouched labels, corrections.

        A text that was corrected is only what it was corrected to, the last one counts.
        """
        corrected: dict[str, dict[str, str]] = {}
        for each in self._learned:
            corrected.setdefault(each.text, {}).update(each.values)
        given = [each for each in material if each.text not in corrected]
        given += [each for each in self._untouched() if each.text not in corrected]
        return given + [Example(text, values, True) for text, values in corrected.items()]

    def held_out(self, head: str, examples: Sequence[Example]) -> HeldOut:
        """The newest tickets, without those whose very text is among `examples`."""
        hindsight = self.hindsight(head)
        learned = {each.text for each in examples}
        found: dict[str, tuple[str, float]] = {}
        for each in self._judged:
            if head in each.values and each.text not in learned:
                found[each.text] = each.values[head], self._weight(head, each, hindsight)
        decided = len(found)
        sample = self._labels.later.tickets()
        stands_for = self._untouched_count(head) / max(len(sample), 1)
        for ticket in sample:
            answer = ticket.answers.get(head)
            if answer is not None and ticket.text not in learned and ticket.text not in found:
                weight = stands_for * hindsight.right(answer.probability)
                found[ticket.text] = answer.label, weight
        rows = [(text, *row) for text, row in found.items() if row[1] > 0]
        return HeldOut(
            texts=[text for text, _, _ in rows],
            labels=[label for _, label, _ in rows],
            weights=np.array([weight for _, _, weight in rows], np.float64),
            decided=decided,
            hindsight=hindsight,
        )

    def hindsight(self, head: str) -> Hindsight:
        """How thoroughly humans looked at what was labelled since the cut."""
        changed = confirmed = 0
        for each, served in self._seen():
            if head in each.values and head in served.answers:
                same = served.answers[head].label == each.values[head]
                changed, confirmed = changed + (not same), confirmed + same
        expected = self._labels.expected[head]
        return Hindsight.of(
            expected_wrong=expected.labels - expected.right,
            expected_right=expected.right,
            changed=changed,
            confirmed=confirmed,
        )

    def _seen(self) -> Iterator[tuple[Decision, Served]]:
        """Decisions of tickets that were labelled since the cut, with what they decided on."""
        for each in self._judged:
            served = self._labels.decided.get(each.ticket_id)
            if served is not None and served.at >= self._cut_at:
                yield each, served

    def _weight(self, head: str, decision: Decision, hindsight: Hindsight) -> float:
        served = self._labels.decided.get(decision.ticket_id)
        if served is None or head not in served.answers:
            return 1.0
        same = served.answers[head].label == decision.values[head]
        return 1.0 if same else hindsight.stands_for

    def _untouched_count(self, head: str) -> int:
        return self._labels.expected[head].labels - sum(1 for _ in self._seen())

    def _untouched(self) -> Iterator[Example]:
        hindsight = {head: self.hindsight(head) for head in ("topic", "priority")}
        for ticket in self._labels.earlier.tickets():
            values = {
                head: answer.label
                for head, answer in ticket.answers.items()
                if hindsight[head].right(answer.probability) >= self._sure
            }
            if values:
                yield Example(ticket.text, values)


def touched(corrections: CorrectionsRead) -> set[str]:
    """Ids of the tickets that a human decided."""
    return {each.ticket_id for each in corrections.decisions()}
