"""The replay memory: a bounded, balanced sample of labelled texts that refits learn from."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_PER_CLASS: Final = 2_000
_IN_ALL: Final = 16_000
# A class is repeated at most this often to come up to the median class.
_MOST_REPEATS: Final = 8
_MOST_TIMES: Final = 24
# A kept example stands for at most so many that were thinned out.
_MOST_STANDING_FOR: Final = 4


@dataclass(slots=True)
class _Shelf:
    texts: list[str]
    seen: int = 0


class ReplayMemory:
    """Up to 2,000 texts of each class, 16,000 in all; corrections are never pushed out by others.

    Which examples stay is drawn by reservoir sampling (Vitter 1985) from a seeded generator: the
    same texts in the same order leave the same memory.
    """

    def __init__(self, seed: int = 0) -> None:
        self._seed = seed
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        self._rng = np.random.default_rng(self._seed)
        self._shelves: dict[str, _Shelf] = {}
        self._corrections: dict[str, str] = {}

    def __len__(self) -> int:
        return len(self._corrections) + sum(len(s.texts) for s in self._shelves.values())

    def remember(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Take examples in order, thinning out full classes at random."""
        room = max(min(_PER_CLASS, _IN_ALL // max(len(set(labels)), 1)), 1)
        for text, label in zip(texts, labels, strict=True):
            shelf = self._shelves.setdefault(label, _Shelf([]))
            shelf.seen += 1
            if len(shelf.texts) < room:
                shelf.texts.append(text)
            elif (place := int(self._rng.integers(shelf.seen))) < room:
                shelf.texts[place] = text

    def correct(self, text: str, label: str) -> None:
        """A correction; it replaces what the same text was called before, the last one counts."""
        self._corrections.pop(text, None)
        self._corrections[text] = label
        while len(self._corrections) > _IN_ALL:
            del self._corrections[next(iter(self._corrections))]

    def withdraw(self, text: str) -> bool:
        """Take back the correction of this text; whether there was one."""
        return self._corrections.pop(text, None) is not None

    @property
    def corrections(self) -> dict[str, str]:
        """The corrected texts with their labels, the oldest first."""
        return dict(self._corrections)

    @property
    def uncorrected(self) -> list[tuple[str, str]]:
        """The kept examples that are no corrections, with their labels."""
        return list(self._stored())

    def count_as_corrections(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """What was just remembered are corrections: never pushed out by others, withdrawable."""
        corrected = set(texts)
        for shelf in self._shelves.values():
            shelf.texts = [text for text in shelf.texts if text not in corrected]
        for text, label in zip(texts, labels, strict=True):
            self._shelves[label].seen -= 1
            self.correct(text, label)
        self._shelves = {name: shelf for name, shelf in self._shelves.items() if shelf.texts}

    @property
    def thinned(self) -> bool:
        """Whether examples were forgotten: then it cannot stand for all that was learned."""
        return any(shelf.seen > len(shelf.texts) for shelf in self._shelves.values())

    def state(self) -> dict[str, Any]:
        """Plain values that `restore` takes back."""
        return {
            "shelves": [
                [name, shelf.seen, list(shelf.texts)] for name, shelf in self._shelves.items()
            ],
            "corrections": [[text, label] for text, label in self._corrections.items()],
        }

    def copy(self) -> "ReplayMemory":
        """A memory of its own with the same texts, as one that was saved and restored."""
        twin = ReplayMemory(self._seed)
        twin._shelves = {
            name: _Shelf(list(shelf.texts), shelf.seen) for name, shelf in self._shelves.items()
        }
        twin._corrections = dict(self._corrections)
        return twin

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a saved memory; what is remembered later is drawn afresh."""
        self.clear()
        self._shelves = {name: _Shelf(list(texts), seen) for name, seen, texts in state["shelves"]}
        self._corrections = dict(state["corrections"])

    def examples(self) -> tuple[list[str], list[str]]:
        """Texts and labels of everything remembered, in a fixed order."""
        pairs = [pair for pair in self._stored() if pair[0] not in self._corrections]
        pairs += list(self._corrections.items())
        return [text for text, _ in pairs], [label for _, label in pairs]

    def scarce(self) -> dict[str, float]:
        """Classes known from corrections alone, or nearly so: how many times as many examples the
        median class has."""
        corrected = Counter(self._corrections.values())
        sizes = {name: shelf.seen for name, shelf in self._shelves.items()}
        totals = {name: sizes.get(name, 0) + corrected[name] for name in {*sizes, *corrected}}
        median = float(np.median(list(totals.values()))) if totals else 0.0
        few = (name for name in corrected if corrected[name] > sizes.get(name, 0))
        return {name: median / totals[name] for name in few}

    def order(self) -> NDArray[np.int64]:
        """Indices into `examples` as a refit is to see them: old classes in the shares in which
        they were trained, so that nothing shifts between them, and scarce ones repeated up to the
        median class.
        """
        repeats = [
            _repeats(shelf.seen / len(shelf.texts), _MOST_STANDING_FOR)
            for shelf in self._shelves.values()
            for text in shelf.texts
            if text not in self._corrections
        ]
        scarce = self.scarce()
        repeats += [
            _repeats(scarce.get(label, 1.0), _MOST_TIMES) for label in self._corrections.values()
        ]
        return np.repeat(np.arange(len(repeats)), repeats)

    def _stored(self) -> Iterator[tuple[str, str]]:
        for label, shelf in self._shelves.items():
            for text in shelf.texts:
                yield text, label


def _repeats(wanted: float, most: int) -> int:
    return min(max(round(wanted), 1), most)


def balanced(labels: NDArray[np.int32]) -> NDArray[np.int64]:
    """Indices with small classes repeated towards the median class, at most eight times."""
    counts = np.bincount(labels)
    median = float(np.median(counts[counts > 0]))
    repeats = np.clip(np.rint(median / np.maximum(counts, 1)), 1, _MOST_REPEATS).astype(np.int64)
    return np.repeat(np.arange(len(labels)), repeats[labels])
