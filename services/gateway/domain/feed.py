"""The live feed: ids of its entries, and which entries a client wants."""

import re
from dataclasses import dataclass
from typing import NamedTuple, Self

from shared.errors import BadRequest
from shared.queues import SEPARATOR
from shared.read_model import FeedEntry

LARGEST_PART = 2**64 - 1


class FeedId(NamedTuple):
    """A Redis stream id: milliseconds and a sequence number."""

    ms: int
    seq: int

    def __str__(self) -> str:
        return f"{self.ms}-{self.seq}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises BadRequest for what no stream id can be. The sequence may be left out."""
        match = re.fullmatch(r"([0-9]{1,20})(?:-([0-9]{1,20}))?", text)
        if match is None or max(parts := [int(part or 0) for part in match.groups()]) > (
            LARGEST_PART
        ):
            raise BadRequest(f"{text!r} is no id of an event; send the last `id:` received")
        return cls(*parts)


BEGINNING = FeedId(0, 0)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One label on the feed; `raw` is its JSON as stored."""

    id: FeedId
    entry: FeedEntry
    raw: str


class FeedBounds(NamedTuple):
    """The oldest entry still kept (None: none is) and the newest ever written."""

    first: FeedId | None
    last: FeedId

    def lost_after(self, position: FeedId) -> bool:
        """Whether entries after `position` may be gone, or the feed began anew."""
        if position > self.last:
            return True
        if self.first is None:
            return position < self.last
        return position < self.first


@dataclass(frozen=True, slots=True)
class FeedFilter:
    """Which entries a client wants; a queue stands for everything below it as well."""

    topic: str | None = None
    queue: str | None = None

    def __call__(self, entry: FeedEntry) -> bool:
        if self.topic is not None and entry.topic != self.topic:
            return False
        return self.queue is None or (entry.queue + SEPARATOR).startswith(self.queue + SEPARATOR)
