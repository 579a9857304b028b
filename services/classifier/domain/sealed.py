"""Corrections as columns: what the ledger keeps of all but the latest, at a sixth of the memory."""

import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from hashlib import blake2b
from sys import intern
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]
_KEY_BYTES = 8
# Quick, and half the size: a desk's texts say the same things over and over.
_LEVEL = 1


class Entry(NamedTuple):
    """One correction with its event id; the other fields are those of `ledger.Correction`."""

    event_id: str
    actor: str
    text: str
    topic: str | None
    priority: str | None
    offset: int


@dataclass(frozen=True, slots=True, eq=False)
class _Strings:
    """Strings in one run of bytes: string i ends at ends[i]; keys[i] is its 64-bit digest."""

    content: NDArray[np.uint8]
    ends: Rows
    keys: NDArray[np.uint64]

    @classmethod
    def of(cls, values: Sequence[str], *, compressed: bool = False) -> "_Strings":
        each = [_bytes(value) for value in values]
        content = b"".join(each)
        return cls(
            np.frombuffer(zlib.compress(content, _LEVEL) if compressed else content, np.uint8),
            np.cumsum(np.fromiter(map(len, each), np.int64, len(each))),
            np.frombuffer(b"".join(map(_digest, each)), np.uint64),
        )

    def read(self, rows: Sequence[int], *, compressed: bool = False) -> list[str]:
        """The strings of these rows."""
        content = self.content.tobytes()
        if compressed:
            content = zlib.decompress(content)
        ends = [0, *self.ends.tolist()]
        return [content[ends[row] : ends[row + 1]].decode("utf-8", "surrogatepass") for row in rows]

    def one(self, row: int) -> str:
        """The string of this row, where they are not compressed."""
        first = self.ends[row - 1] if row else 0
        return self.content[first : self.ends[row]].tobytes().decode("utf-8", "surrogatepass")

    def state(self) -> dict[str, Any]:
        return {"content": self.content, "ends": self.ends, "keys": self.keys}


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    """Few names, each many times: every distinct one, and which of them stands where."""

    names: list[str | None]
    codes: NDArray[np.int32]

    @classmethod
    def of(cls, values: Sequence[str | None]) -> "_Names":
        codes = {name: code for code, name in enumerate(dict.fromkeys(values))}
        found = np.fromiter((codes[name] for name in values), np.int32, len(values))
        return cls(list(codes), found)

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "_Names":
        names = [None if name is None else intern(name) for name in state["names"]]
        codes = state["codes"]
        if len(codes) and not 0 <= codes.min() <= codes.max() < len(names):
            raise ValueError("a column of names has codes without a name")
        return cls(names, codes)

    def read(self, rows: Sequence[int]) -> list[Any]:
        return [self.names[code] for code in self.codes[rows].tolist()]

    def rows_of(self, name: str) -> Rows:
        """Where this name stands."""
        code = self.names.index(name) if name in self.names else -1
        return np.flatnonzero(self.codes == code)

    def state(self) -> dict[str, Any]:
        return {"names": list(self.names), "codes": self.codes}


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """Some thousand corrections in the order of the log; never changed. Texts are compressed."""

    ids: _Strings
    actors: _Names
    texts: _Strings
    topics: _Names
    priorities: _Names
    offsets: Rows

    def __len__(self) -> int:
        return len(self.offsets)

    @classmethod
    def of(cls, entries: Sequence[Entry]) -> "_Segment":
        ids, actors, texts, topics, priorities, offsets = zip(*entries, strict=True)
        return cls(
            _Strings.of(ids), _Names.of(actors), _Strings.of(texts, compressed=True),
            _Names.of(topics), _Names.of(priorities), np.array(offsets, np.int64),
        )  # fmt: skip

    def read(self, rows: Rows) -> Iterator[Entry]:
        """The corrections of these rows, in their order."""
        each = rows.tolist()
        columns = zip(
            self.ids.read(each), self.actors.read(each), self.texts.read(each, compressed=True),
            self.topics.read(each), self.priorities.read(each), self.offsets[rows].tolist(),
            strict=True,
        )  # fmt: skip
        return map(Entry._make, columns)

    def state(self) -> dict[str, Any]:
        return {
            "ids": self.ids.state(), "actors": self.actors.state(), "texts": self.texts.state(),
            "topics": self.topics.state(), "priorities": self.priorities.state(),
            "offsets": self.offsets,
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "_Segment":
        """Raises LookupError, or ValueError where the columns are not of one length."""
        found = cls(
            _Strings(**state["ids"]), _Names.from_state(state["actors"]),
            _Strings(**state["texts"]), _Names.from_state(state["topics"]),
            _Names.from_state(state["priorities"]), state["offsets"],
        )  # fmt: skip
        columns = (
            found.ids.ends, found.ids.keys, found.texts.ends, found.texts.keys,
            found.actors.codes, found.topics.codes, found.priorities.codes,
        )  # fmt: skip
        if any(len(column) != len(found) for column in columns):
            raise ValueError("the columns of saved corrections are not of one length")
        return found


@dataclass(frozen=True, slots=True, eq=False)
class _Index:
    """Rows by the key of a string of theirs."""

    keys: NDArray[np.uint64]
    rows: Rows

    @classmethod
    def of(cls, parts: Sequence[NDArray[np.uint64]], alive: NDArray[np.bool_]) -> "_Index":
        keys = np.concatenate([np.zeros(0, np.uint64), *parts])[alive]
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], np.flatnonzero(alive)[order])

    def rows_of(self, value: str) -> Rows:
        """Rows of strings with the key of this one, in the order of the log."""
        key = np.frombuffer(_digest(_bytes(value)), np.uint64)[0]
        first, behind = np.searchsorted(self.keys, key), np.searchsorted(self.keys, key, "right")
        return self.rows[first:behind]

    def rows_of_any(self, values: Collection[str]) -> Rows:
        """The same of any of these, in no order."""
        keys = np.frombuffer(b"".join(_digest(_bytes(value)) for value in values), np.uint64)
        return self.rows[np.isin(self.keys, keys)]


class Sealed:
    """Corrections that are only looked up, taken back or forgotten; copies share their columns."""

    def __init__(
        self, segments: Sequence[_Segment] = (), alive: NDArray[np.bool_] | None = None
    ) -> None:
        """alive: which rows of all segments still stand; default all."""
        self._segments = tuple(segments)
        self._starts = np.cumsum([0, *map(len, self._segments)])
        total = int(self._starts[-1])
        self._alive = np.ones(total, np.bool_) if alive is None else alive
        if len(self._alive) != total:
            raise ValueError("it is not known of every saved correction whether it stands")
        self._ids = _Index.of([each.ids.keys for each in self._segments], self._alive)
        self._texts = _Index.of([each.texts.keys for each in self._segments], self._alive)
        self._count = len(self._ids.rows)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, event_id: str) -> bool:
        return bool(len(self._of_id(event_id)))

    def __iter__(self) -> Iterator[Entry]:
        return self._read(np.flatnonzero(self._alive))

    def count(self, text: str) -> int:
        """How many standing ones are of this very text."""
        return int(np.count_nonzero(self._alive[self._texts.rows_of(text)]))

    def of_texts(self, texts: Collection[str]) -> Iterator[Entry]:
        """Those of any of these texts, in the order of the log."""
        rows = self._standing(np.sort(self._texts.rows_of_any(texts)))
        return (each for each in self._read(rows) if each.text in texts)

    def take(self, event_id: str | None, actor: str | None) -> list[Entry]:
        """Remove the one of this id and all of this actor; answer them in the order of the log."""
        found = [np.zeros(0, np.int64)]
        if event_id is not None:
            found.append(self._of_id(event_id))
        if actor is not None:
            for start, segment in zip(self._starts.tolist(), self._segments, strict=False):
                found.append(start + segment.actors.rows_of(actor))
        rows = self._standing(np.unique(np.concatenate(found)))
        taken = list(self._read(rows))
        self._remove(rows)
        return taken

    def forget_oldest(self) -> None:
        """Remove the first one; there must be one."""
        self._remove(np.array([self._alive.argmax()]))

    def and_then(self, entries: Sequence[Entry]) -> "Sealed":
        """These and later ones together, without what is no longer needed of removed ones."""
        segments, alive = [], []
        for start, segment in zip(self._starts.tolist(), self._segments, strict=False):
            stands = self._alive[start : start + len(segment)]
            kept = np.flatnonzero(stands)
            if len(kept) and 2 * len(kept) <= len(segment):
                segments.append(_Segment.of(list(segment.read(kept))))
                alive.append(np.ones(len(kept), np.bool_))
            elif len(kept):
                segments.append(segment)
                alive.append(stands)
        if entries:
            segments.append(_Segment.of(entries))
            alive.append(np.ones(len(entries), np.bool_))
        return Sealed(segments, np.concatenate([np.zeros(0, np.bool_), *alive]))

    def copy(self) -> "Sealed":
        """The same ones, of which others may be removed."""
        return copy(self)  # nothing is ever changed in place

    def state(self) -> dict[str, Any]:
        """Plain values and arrays that `from_state` takes back."""
        segments = {str(at): each.state() for at, each in enumerate(self._segments)}
        return {"segments": segments, "alive": self._alive}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Sealed":
        """What `state` described. Raises LookupError or ValueError."""
        return cls(list(map(_Segment.from_state, state["segments"].values())), state["alive"])

    def _of_id(self, event_id: str) -> Rows:
        """The row of this id, if there is one."""
        rows = self._standing(self._ids.rows_of(event_id))
        return rows[[self._id(row) == event_id for row in rows.tolist()]]  # a digest is no proof

    def _id(self, row: int) -> str:
        at = int(np.searchsorted(self._starts, row, "right")) - 1
        return self._segments[at].ids.one(row - int(self._starts[at]))

    def _standing(self, rows: Rows) -> Rows:
        return rows[self._alive[rows]]

    def _remove(self, rows: Rows) -> None:
        self._alive = self._alive.copy()
        self._alive[rows] = False
        self._count -= len(rows)

    def _read(self, rows: Rows) -> Iterator[Entry]:
        """rows: ascending."""
        bounds = np.searchsorted(rows, self._starts)
        for at, segment in enumerate(self._segments):
            part = rows[bounds[at] : bounds[at + 1]]
            if len(part):
                yield from segment.read(part - self._starts[at])


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogatepass")


def _digest(value: bytes) -> bytes:
    return blake2b(value, digest_size=_KEY_BYTES).digest()
