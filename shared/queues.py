"""The queue directory: names of queues as paths, their ids, and where an unrouted topic belongs."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import Misconfigured

# Contract A: queue 0 is the sum of all.
ALL_QUEUES = 0
UNROUTED = "Unrouted"
SEPARATOR = "/"


class _DirectoryFile(BaseModel):
    model_config = ConfigDict(extra="forbid")

    queues: dict[str, int] = {}
    topics: dict[str, str] = {}


@dataclass(frozen=True)
class QueueDirectory:
    """Explicit ids and the topic-to-queue map; queues nobody listed get a derived id."""

    ids: Mapping[str, int] = field(default_factory=dict)
    topics: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path | None) -> "QueueDirectory":
        """Read `{"queues": {path: id}, "topics": {topic: path}}`. No file: an empty directory."""
        if path is None:
            return cls()
        try:
            content = _DirectoryFile.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise Misconfigured(f"queue directory {path} cannot be read: {error}") from error
        if len(set(content.queues.values())) != len(content.queues):
            raise Misconfigured(f"queue directory {path} gives one id to two queues")
        if ALL_QUEUES in content.queues.values():
            raise Misconfigured(f"queue directory {path} uses id 0, which means all queues")
        return cls(ids=content.queues, topics=content.topics)

    def route(self, queue: str | None, topic: str) -> str:
        """The queue a ticket counts for: its own, else its topic's, else `Unrouted`."""
        return queue or self.topics.get(topic) or UNROUTED

    def id_of(self, path: str) -> int:
        """The id of a queue. Derived ids are 53-bit, exact in JSON and in a JavaScript number."""
        known = self.ids.get(path)
        if known is not None:
            return known
        digest = hashlib.blake2b(path.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 11 or 1


@dataclass(frozen=True, slots=True)
class QueueNode:
    """One queue of the tree. `level` starts at 1; `descendants` are paths below it."""

    id: int
    path: str
    level: int
    parent: str | None
    descendants: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.path.rsplit(SEPARATOR, 1)[-1]


def tree(directory: QueueDirectory, seen: Iterable[str]) -> dict[str, QueueNode]:
    """Every queue of the directory and every one seen, with the inner nodes between, by path."""
    paths: set[str] = set()
    for leaf in {*directory.ids, *directory.topics.values(), *seen}:
        parts = leaf.split(SEPARATOR)
        paths.update(SEPARATOR.join(parts[:depth]) for depth in range(1, len(parts) + 1))
    below: dict[str, list[str]] = {path: [] for path in paths}
    for path in paths:
        parts = path.split(SEPARATOR)
        for depth in range(1, len(parts)):
            below[SEPARATOR.join(parts[:depth])].append(path)
    return {
        path: QueueNode(
            id=directory.id_of(path),
            path=path,
            level=path.count(SEPARATOR) + 1,
            parent=path.rsplit(SEPARATOR, 1)[0] if SEPARATOR in path else None,
            descendants=tuple(sorted(below[path])),
        )
        for path in sorted(paths)
    }
