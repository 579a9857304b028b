"""Topics named by paths, "billing/refund": where the leaf is unsure, the parent may be sure."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from math import inf
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import HeadScores

SEPARATOR: Final = "/"
# Below an even chance no answer is more than a guess, whatever its parts are granted.
_LEAST: Final = 0.5


@dataclass(frozen=True, slots=True)
class BackedOff:
    """The answer for one ticket: a parent, and how likely one of the topics below it is."""

    topic: str
    probability: float


@dataclass(frozen=True, slots=True)
class _Tree:
    """Parents, the deepest first; below: shape (classes, parents), 1 where a class lies below."""

    parents: tuple[str, ...]
    below: NDArray[np.float32]


def ancestors(topic: str) -> list[str]:
    """Parents from the root down: "a/b/c" has "a" and "a/b". An empty step names nobody."""
    steps = topic.split(SEPARATOR)
    if not all(steps):
        return []
    return list(accumulate(steps[:-1], lambda path, step: f"{path}{SEPARATOR}{step}"))


def back_off(head: HeadScores, thresholds: NDArray[np.float32] | None) -> list[BackedOff | None]:
    """For every ticket the parent to answer in place of its best topic, None where that stands.

    thresholds: shape (classes,), from which probability on a topic is sure; infinite for never. A
    parent is sure where the probabilities of it and of all below it sum to the highest threshold
    that any of them was granted. Of several sure parents the deepest answers. None throughout where
    nothing was granted or no topic is a path.
    """
    answers: list[BackedOff | None] = [None] * len(head.probabilities)
    tree = _tree(head.classes)
    if thresholds is None or not tree.parents or not answers:
        return answers
    best = head.probabilities.argmax(axis=1)
    top = head.probabilities[np.arange(len(best)), best]
    unsure = np.flatnonzero(top < thresholds[best])
    if not len(unsure):
        return answers
    sums = head.probabilities[unsure] @ tree.below
    sure = sums >= _granted(tree, thresholds)
    for place in np.flatnonzero(sure.any(axis=1)).tolist():
        parent = int(sure[place].argmax())
        probability = min(float(sums[place, parent]), 1.0)
        answers[int(unsure[place])] = BackedOff(tree.parents[parent], probability)
    return answers


def threshold_of(topic: str, classes: tuple[str, ...], thresholds: NDArray[np.float32]) -> float:
    """From which probability on a topic or a parent of topics is sure; infinite for any other."""
    if topic in classes:
        return float(thresholds[classes.index(topic)])
    tree = _tree(classes)
    if topic not in tree.parents:
        return inf
    return float(_granted(tree, thresholds)[tree.parents.index(topic)])


def _granted(tree: _Tree, thresholds: NDArray[np.float32]) -> NDArray[np.float32]:
    """Threshold of each parent: the highest granted below it, infinite where none was."""
    finite = np.where(np.isfinite(thresholds), thresholds, -inf)
    highest = np.where(tree.below > 0, finite[:, None], -inf).max(axis=0)
    granted: NDArray[np.float32] = np.where(np.isfinite(highest), np.maximum(highest, _LEAST), inf)
    return granted.astype(np.float32)


@lru_cache(maxsize=8)
def _tree(classes: tuple[str, ...]) -> _Tree:
    lines = [ancestors(name) for name in classes]
    names = {parent for line in lines for parent in line}
    parents = sorted(names, key=lambda name: (-name.count(SEPARATOR), name))
    place = {name: at for at, name in enumerate(parents)}
    below = np.zeros((len(classes), len(parents)), np.float32)
    for row, (name, line) in enumerate(zip(classes, lines, strict=True)):
        for parent in _itself_and(name, line, place):
            below[row, place[parent]] = 1.0
    return _Tree(tuple(parents), below)


def _itself_and(name: str, line: Sequence[str], place: dict[str, int]) -> list[str]:
    """A topic's parents, and itself where it has topics below it."""
    return [*line, name] if name in place else list(line)
