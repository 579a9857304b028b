"""The tree of uploaded queues: every queue below at most one other."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class TreeError(ValueError):
    """A queue that is unknown, is its own ancestor, or has two parents."""


@dataclass(frozen=True, slots=True)
class QueueTree:
    """Queues and their parents. parents: queue id -> parent id or None for a root."""

    parents: Mapping[int, int | None]
    _children: dict[int, list[int]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Raise TreeError for an unknown parent or a loop."""
        for queue, parent in sorted(self.parents.items()):
            if parent is None:
                continue
            if parent not in self.parents:
                raise TreeError(f"queue {queue} has the unknown parent {parent}")
            self._children.setdefault(parent, []).append(queue)
        for queue in self.parents:
            self.level(queue)

    def level(self, queue: int) -> int:
        """1 for a root, one more for each ancestor."""
        level, node = 1, self._parent(queue)
        while node is not None:
            level, node = level + 1, self._parent(node)
            if level > len(self.parents):
                raise TreeError(f"queue {queue} is its own ancestor")
        return level

    def children(self, queue: int) -> tuple[int, ...]:
        """Direct children, ascending."""
        return tuple(self._children.get(queue, ()))

    def descendants(self, queue: int) -> tuple[int, ...]:
        """Everything below a queue, nearest first; the queue itself is not part."""
        found = list(self.children(queue))
        for node in found:
            found.extend(self.children(node))
        return tuple(found)

    def _parent(self, queue: int) -> int | None:
        try:
            return self.parents[queue]
        except KeyError:
            raise TreeError(f"unknown queue {queue}") from None
