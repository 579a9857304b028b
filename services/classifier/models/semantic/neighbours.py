"""Near-duplicates: the recent ticket that says nearly the same, in whatever language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread

Array = NDArray[np.float32]

# Rows of one product: its result stays in cache.
_BLOCK: Final = 1_024
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Nearness:
    """From which cosine on two tickets say nearly the same; translations come less near.

    Measured by `python -m bench similarity`, with what each value costs.
    """

    same_language: float = 0.80
    other_language: float = 0.62


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A ticket to compare. `language` is its code, None where nobody knows."""

    ticket_id: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An earlier ticket and the cosine of the two."""

    ticket_id: str
    similarity: float


class RecentTickets:
    """A ring of the vectors of the latest tickets: 2 KB each, the oldest are overwritten."""

    def __init__(
        self, capacity: int = 20_000, dimension: int = 512, nearness: Nearness | None = None
    ) -> None:
        self._nearness = nearness or Nearness()
        self._vectors = np.zeros((capacity, dimension), np.float32)
        self._languages = np.full(capacity, _UNKNOWN, np.int16)
        self._ids: list[str | None] = [None] * capacity
        self._places: dict[str, set[int]] = {}
        self._codes: dict[str, int] = {}
        self._next = self._used = 0

    def __len__(self) -> int:
        return self._used

    def meet(self, newcomers: Sequence[Newcomer], vectors: Array) -> list[Neighbour | None]:
        """The nearest earlier ticket of each, where one is near enough; then remember them all.

        vectors: unit length, centred, shape (newcomers, dimension); zeros have no neighbour.
        Earlier is what was met before, and what stands before in `newcomers`.
        """
        found = []
        for first in range(0, len(newcomers), _BLOCK):
            part = slice(first, first + _BLOCK)
            found += self._meet(newcomers[part], vectors[part])
        return found

    def _meet(self, newcomers: Sequence[Newcomer], vectors: Array) -> list[Neighbour | None]:
        languages = np.array([self._code(each.language) for each in newcomers], np.int16)
        cosines = self._cosines(vectors, vectors)
        cosines[np.triu_indices(len(newcomers))] = -1.0
        ids = [each.ticket_id for each in newcomers]
        for row, ticket_id in enumerate(ids):
            cosines[row, [at for at in range(row) if ids[at] == ticket_id]] = -1.0
        best = self._nearest(cosines, languages, languages)
        known = self._cosines(vectors, self._vectors[: self._used])
        for row, ticket_id in enumerate(ids):
            known[row, list(self._places.get(ticket_id, ()))] = -1.0
        older = self._nearest(known, languages, self._languages[: self._used])
        answers = [
            self._closer(
                None if at is None else Neighbour(str(self._ids[at[0]]), at[1]),
                None if within is None else Neighbour(ids[within[0]], within[1]),
            )
            for at, within in zip(older, best, strict=True)
        ]
        for each, vector, code in zip(newcomers, vectors, languages.tolist(), strict=True):
            if vector.any():
                self._remember(each.ticket_id, vector, code)
        return answers

    def _nearest(
        self, cosines: Array, mine: NDArray[np.int16], theirs: NDArray[np.int16]
    ) -> list[tuple[int, float] | None]:
        """Place and cosine of the ticket furthest above its threshold, for each row."""
        if not cosines.shape[1]:
            return [None] * len(cosines)
        differs = (mine[:, None] != theirs) & (mine[:, None] != _UNKNOWN) & (theirs != _UNKNOWN)
        margin = cosines - np.where(
            differs,
            np.float32(self._nearness.other_language),
            np.float32(self._nearness.same_language),
        )
        best = margin.argmax(axis=1)
        rows = range(len(cosines))
        return [
            (at, min(float(cosines[row, at]), 1.0)) if margin[row, at] >= 0.0 else None
            for row, at in zip(rows, best.tolist(), strict=True)
        ]

    @staticmethod
    def _closer(one: Neighbour | None, other: Neighbour | None) -> Neighbour | None:
        if one is None or other is None:
            return one or other
        return one if one.similarity > other.similarity else other

    @staticmethod
    def _cosines(vectors: Array, others: Array) -> Array:
        out = np.empty((len(vectors), len(others)), np.float32)
        with one_thread():
            for first in range(0, len(others), _BLOCK):
                part = slice(first, first + _BLOCK)
                out[:, part] = vectors @ others[part].T
        return out

    def _remember(self, ticket_id: str, vector: Array, language: int) -> None:
        place = self._next
        self._forget(place)
        self._vectors[place], self._languages[place] = vector, language
        self._ids[place] = ticket_id
        self._places.setdefault(ticket_id, set()).add(place)
        self._next = (place + 1) % len(self._vectors)
        self._used = max(self._used, place + 1)

    def _forget(self, place: int) -> None:
        old = self._ids[place]
        if old is None:
            return
        self._places[old].discard(place)
        if not self._places[old]:
            del self._places[old]

    def _code(self, language: str | None) -> int:
        if language is None:
            return _UNKNOWN
        primary = language.partition("-")[0].lower()
        return self._codes.setdefault(primary, len(self._codes))
