"""The ledger: which corrections the log holds and still stand, so that they can be taken back."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import starmap
from sys import intern
from typing import Any

import numpy as np

from services.classifier.domain.labelling import ticket_text
from shared.events import TicketCorrected

# About 40 MB of short tickets; an older correction can no longer be taken back or repeated.
MOST = 100_000
# What the models read of a text; the rest would only fill the memory.
CHARACTERS = 8_192


@dataclass(frozen=True, slots=True)
class Correction:
    """What one correction taught. `text` is empty where nothing could be learned from it.

    offset: where it stands in the log; a model trained on the log up to there knows it already.
    """

    actor: str
    text: str
    topic: str | None
    priority: str | None
    offset: int = 0


class Ledger:
    """Corrections by event id, in the order of the log; repeated ids are refused."""

    def __init__(
        self,
        most: int = MOST,
        *,
        standing: Mapping[str, Correction] | None = None,
        heard: Mapping[str, None] | None = None,
    ) -> None:
        self._most = most
        self._standing = dict(standing or {})
        # Ids of what was taken back, and of control records that must not work twice.
        self._heard = dict(heard or {})
        self._texts = Counter(each.text for each in self._standing.values())

    def __len__(self) -> int:
        return len(self._standing)

    def add(self, event: TicketCorrected, offset: int = 0) -> Correction | None:
        """Enter the correction at this offset; None when its event id was entered before."""
        if event.event_id in self._standing or event.event_id in self._heard:
            return None
        text = ticket_text(event.subject, event.body)[:CHARACTERS]
        taught = event.topic is not None or event.priority is not None
        told = text if taught and text.strip() else ""
        # A hundred thousand corrections have few actors and topics between them.
        actor, topic, priority = map(_one_of, (event.actor, event.topic, event.priority))
        correction = Correction(actor or "", told, topic, priority, offset)
        self._standing[event.event_id] = correction
        self._texts[told] += 1
        while len(self._standing) > self._most:
            self._remove(next(iter(self._standing)))
        return correction

    def repeats(self, text: str) -> bool:
        """Whether more than one standing correction is of this very text."""
        return self._texts[text] > 1

    def undo(self, event_id: str | None, actor: str | None) -> dict[str, Correction]:
        """Take back the correction of this id and all of this actor; answer those that stood."""
        chosen = [
            known
            for known, correction in self._standing.items()
            if known == event_id or (actor is not None and correction.actor == actor)
        ]
        self._heard.update(dict.fromkeys(chosen))
        _shorten(self._heard, self._most)
        return {known: self._remove(known) for known in chosen}

    def hear(self, event_id: str) -> bool:
        """Whether this event id, of a control record, is heard for the first time."""
        if event_id in self._heard:
            return False
        self._heard[event_id] = None
        _shorten(self._heard, self._most)
        return True

    def standing(self) -> Iterator[Correction]:
        """Every correction that was not taken back, in the order of the log."""
        return iter(self._standing.values())

    def latest(self, texts: set[str]) -> Iterator[Correction]:
        """Standing corrections of these texts, in the order of the log."""
        return (each for each in self._standing.values() if each.text in texts)

    def _remove(self, event_id: str) -> Correction:
        correction = self._standing.pop(event_id)
        self._texts[correction.text] -= 1
        if not self._texts[correction.text]:
            del self._texts[correction.text]
        return correction

    def state(self) -> dict[str, Any]:
        """Plain values and arrays that `from_state` takes back: columns, which are read at once."""
        each = self._standing.values()
        return {
            "ids": list(self._standing),
            "texts": [one.text for one in each],
            "actors": _coded([one.actor for one in each]),
            "topics": _coded([one.topic for one in each]),
            "priorities": _coded([one.priority for one in each]),
            "offsets": np.fromiter((one.offset for one in each), np.int64, len(each)),
            "heard": list(self._heard),
        }

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Ledger":
        """The ledger that `state` described. Raises LookupError or ValueError."""
        columns = zip(
            _decoded(state["actors"]),
            state["texts"],
            *map(_decoded, (state["topics"], state["priorities"])),
            state["offsets"].tolist(),
            strict=True,
        )
        standing = dict(zip(state["ids"], starmap(Correction, columns), strict=True))
        return cls(standing=standing, heard=dict.fromkeys(state["heard"]))

    def copy(self) -> "Ledger":
        """A ledger of its own with the same entries."""
        return Ledger(self._most, standing=self._standing, heard=self._heard)


def _shorten(entries: dict[str, Any], most: int) -> None:
    while len(entries) > most:
        del entries[next(iter(entries))]


def _coded(names: Sequence[str | None]) -> dict[str, Any]:
    """Few names, each many times: every distinct one, and which of them stands where."""
    codes = {name: code for code, name in enumerate(dict.fromkeys(names))}
    return {
        "names": list(codes),
        "codes": np.fromiter((codes[name] for name in names), np.int32, len(names)),
    }


def _decoded(column: Mapping[str, Any]) -> Iterator[Any]:
    names = [_one_of(name) for name in column["names"]]
    return (names[code] for code in column["codes"].tolist())


def _one_of(name: str | None) -> str | None:
    return None if name is None else intern(name)
