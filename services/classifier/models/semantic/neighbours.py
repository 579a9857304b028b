"""Near-duplicates: the recent ticket that says nearly the same, in whatever language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.blas import one_thread
from services.classifier.models.semantic.sketches import DIMENSION

Array = NDArray[np.float32]

# Rows of one product: its result stays in cache.
_BLOCK: Final = 1_024
_UNKNOWN: Final = -1


@dataclass(frozen=True, slots=True)
class Nearness:
    """From which cosine on two tickets say nearly the same: by spelling, or by meaning.

    Of one language the sketches of their spelling tell best; in other words the same is said only
    where the encodings are very near. Translations share no spelling and come less near.
    Measured by `python -m bench similarity`, with what each value costs.
    """

    spelling: float = 0.75
    same_language: float = 0.88
    other_language: float = 0.62


@dataclass(frozen=True, slots=True)
class Newcomer:
    """A ticket to compare. `language` is its code, None where nobody knows."""

    ticket_id: str
    language: str | None


@dataclass(frozen=True, slots=True)
class _Batch:
    """Tickets as they are compared: vectors (tickets, dimension), sketches (tickets, 256)."""

    vectors: Array
    sketches: Array


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An earlier ticket and the cosine of the two encodings."""

    ticket_id: str
    similarity: float


class RecentTickets:
    """A ring of the latest tickets, 3 KB each; the oldest are overwritten."""

    def __init__(
        self, capacity: int = 20_000, dimension: int = 512, nearness: Nearness | None = None
    ) -> None:
        self._nearness = nearness or Nearness()
        self._vectors = np.zeros((capacity, dimension), np.float32)
        self._sketches = np.zeros((capacity, DIMENSION), np.float32)
        self._languages = np.full(capacity, _UNKNOWN, np.int16)
        self._ids: list[str | None] = [None] * capacity
        self._places: dict[str, set[int]] = {}
        self._codes: dict[str, int] = {}
        self._next = self._used = 0

    def __len__(self) -> int:
        return self._used

    def meet(
        self, newcomers: Sequence[Newcomer], vectors: Array, spelling: Array
    ) -> list[Neighbour | None]:
        """The nearest earlier ticket of each, where one is near enough; then remember them all.

        vectors: unit length, centred, shape (newcomers, dimension); zeros have no neighbour.
        spelling: their `sketches`. Earlier is what was met before, and what stands before in
        `newcomers`.
        """
        found = []
        for first in range(0, len(newcomers), _BLOCK):
            part = slice(first, first + _BLOCK)
            found += self._meet(newcomers[part], _Batch(vectors[part], spelling[part]))
        return found

    def _meet(self, newcomers: Sequence[Newcomer], batch: _Batch) -> list[Neighbour | None]:
        languages = np.array([self._code(each.language) for each in newcomers], np.int16)
        ids = [each.ticket_id for each in newcomers]
        before = np.tri(len(ids), k=-1, dtype=np.bool_)
        known = np.ones((len(ids), self._used), np.bool_)
        for row, ticket_id in enumerate(ids):
            before[row, [at for at in range(row) if ids[at] == ticket_id]] = False
            known[row, list(self._places.get(ticket_id, ()))] = False
        stored = _Batch(self._vectors[: self._used], self._sketches[: self._used])
        older = self._nearest(batch, stored, known, languages, self._languages[: self._used])
        within = self._nearest(batch, batch, before, languages, languages)
        answers: list[Neighbour | None] = []
        for one, other in zip(older, within, strict=True):
            best = max((each for each in (one, other) if each), default=None)
            name = None if best is None else (self._ids if best is one else ids)[best[1]]
            answers.append(None if best is None else Neighbour(str(name), min(best[2], 1.0)))
        for row, each in enumerate(newcomers):
            if batch.vectors[row].any():
                self._remember(each.ticket_id, batch, row, int(languages[row]))
        return answers

    def _nearest(
        self,
        batch: _Batch,
        others: _Batch,
        allowed: NDArray[np.bool_],
        mine: NDArray[np.int16],
        theirs: NDArray[np.int16],
    ) -> list[tuple[float, int, float] | None]:
        """Of the other furthest above its threshold: by how much, its place, and the cosine."""
        if not allowed.shape[1]:
            return [None] * len(allowed)
        differs = (mine[:, None] != theirs) & (mine[:, None] != _UNKNOWN) & (theirs != _UNKNOWN)
        near = self._nearness
        cosines = _cosines(batch.vectors, others.vectors)
        margin = cosines - np.where(
            differs, np.float32(near.other_language), np.float32(near.same_language)
        )
        alike = _cosines(batch.sketches, others.sketches) - np.float32(near.spelling)
        margin = np.where(allowed, np.maximum(margin, alike), np.float32(-1.0))
        margin[~batch.vectors.any(axis=1)] = -1.0
        best = margin.argmax(axis=1).tolist()
        return [
            (float(margin[row, at]), at, float(cosines[row, at])) if margin[row, at] >= 0 else None
            for row, at in enumerate(best)
        ]

    def _remember(self, ticket_id: str, batch: _Batch, row: int, language: int) -> None:
        place = self._next
        self._forget(place)
        self._vectors[place], self._sketches[place] = batch.vectors[row], batch.sketches[row]
        self._languages[place] = language
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


def _cosines(vectors: Array, others: Array) -> Array:
    out = np.empty((len(vectors), len(others)), np.float32)
    with one_thread():
        for first in range(0, len(others), _BLOCK):
            part = slice(first, first + _BLOCK)
            out[:, part] = vectors @ others[part].T
    return out
