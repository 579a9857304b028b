"""The ledger: which corrections the log holds and still stand, so that they can be taken back."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, Final

from services.classifier.domain.labelling import ticket_text
from services.classifier.domain.sealed import Entry, Sealed
from shared.events import TicketCorrected

# About 10 MB of short tickets; an older correction can no longer be taken back or repeated.
MOST = 100_000
# Corrections that are kept as they came before they are sealed into columns.
LATEST: Final = 4_096
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
    """Corrections by event id, in the order of the log; repeated ids are refused.

    All but the latest are `Sealed`: columns, which copies share.
    """

    def __init__(
        self,
        most: int = MOST,
        *,
        standing: Mapping[str, Correction] | None = None,
        heard: Iterable[str] = (),
        sealed: Sealed | None = None,
        latest: int = LATEST,
    ) -> None:
        """standing: after those that are `sealed`; latest: how many are not."""
        self._most = most
        self._sealed = sealed or Sealed()
        self._room = latest
        self._latest = dict(standing or {})
        self._texts = Counter(each.text for each in self._latest.values())
        # Ids of what was taken back, and of control records that must not work twice.
        self._heard = dict.fromkeys(heard)
        self._seal()

    def __len__(self) -> int:
        return len(self._sealed) + len(self._latest)

    def add(self, event: TicketCorrected, offset: int = 0) -> Correction | None:
        """Enter the correction at this offset; None when its event id was entered before."""
        known = event.event_id
        if known in self._latest or known in self._heard or known in self._sealed:
            return None
        text = ticket_text(event.subject, event.body)[:CHARACTERS]
        taught = event.topic is not None or event.priority is not None
        told = text if taught and text.strip() else ""
        # A hundred thousand corrections have few actors and topics between them.
        actor, topic, priority = map(_one_of, (event.actor, event.topic, event.priority))
        correction = Correction(actor or "", told, topic, priority, offset)
        self._latest[known] = correction
        self._texts[told] += 1
        while len(self) > self._most:
            self._forget_oldest()
        self._seal()
        return correction

    def repeats(self, text: str) -> bool:
        """Whether more than one standing correction is of this very text."""
        return self._texts[text] + self._sealed.count(text) > 1

    def undo(self, event_id: str | None, actor: str | None) -> dict[str, Correction]:
        """Take back the correction of this id and all of this actor; answer those that stood."""
        undone = {each.event_id: _correction(each) for each in self._sealed.take(event_id, actor)}
        chosen = [
            known
            for known, correction in self._latest.items()
            if known == event_id or (actor is not None and correction.actor == actor)
        ]
        undone.update((known, self._remove(known)) for known in chosen)
        self._heard.update(dict.fromkeys(undone))
        _shorten(self._heard, self._most)
        return undone

    def hear(self, event_id: str) -> bool:
        """Whether this event id, of a control record, is heard for the first time."""
        if event_id in self._heard:
            return False
        self._heard[event_id] = None
        _shorten(self._heard, self._most)
        return True

    def standing(self) -> Iterator[Correction]:
        """Every correction that was not taken back, in the order of the log."""
        yield from map(_correction, self._sealed)
        yield from self._latest.values()

    def latest(self, texts: set[str]) -> Iterator[Correction]:
        """Standing corrections of these texts, in the order of the log."""
        yield from map(_correction, self._sealed.of_texts(texts))
        yield from (each for each in self._latest.values() if each.text in texts)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays that `from_state` takes back."""
        return {"sealed": self._with_latest().state(), "heard": list(self._heard)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Ledger":
        """The ledger that `state` described. Raises LookupError or ValueError."""
        return cls(sealed=Sealed.from_state(state["sealed"]), heard=state["heard"])

    def copy(self) -> "Ledger":
        """A ledger of its own with the same entries."""
        return Ledger(
            self._most, standing=self._latest, heard=self._heard, sealed=self._sealed.copy(),
            latest=self._room,
        )  # fmt: skip

    def _seal(self) -> None:
        if len(self._latest) >= self._room:
            self._sealed = self._with_latest()
            self._latest.clear()
            self._texts.clear()

    def _with_latest(self) -> Sealed:
        return self._sealed.and_then(
            [
                Entry(known, each.actor, each.text, each.topic, each.priority, each.offset)
                for known, each in self._latest.items()
            ]
        )

    def _forget_oldest(self) -> None:
        if len(self._sealed):
            self._sealed.forget_oldest()
        else:
            self._remove(next(iter(self._latest)))

    def _remove(self, event_id: str) -> Correction:
        """Of the latest."""
        correction = self._latest.pop(event_id)
        self._texts[correction.text] -= 1
        if not self._texts[correction.text]:
            del self._texts[correction.text]
        return correction


def _correction(entry: Entry) -> Correction:
    return Correction(*entry[1:])


def _shorten(entries: dict[str, Any], most: int) -> None:
    while len(entries) > most:
        del entries[next(iter(entries))]


def _one_of(name: str | None) -> str | None:
    return None if name is None else intern(name)
