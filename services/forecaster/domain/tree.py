"""The tree of queues: structure, and loads in which every ticket is counted once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

ALL_QUEUES = 0


class TreeError(ValueError):
    """A queue that is unknown, is its own ancestor, or has two parents."""


@dataclass(frozen=True, slots=True)
class Structure:
    """Where a queue stands.

    level: 1 for a root. leaf_nodes: leaves below it, itself never counted. depth: levels below.
    """

    level: int
    direct_children: int
    all_descendants: int
    leaf_nodes: int
    depth: int
    parent_id: int | None


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

    def members(self, queue: int) -> tuple[int, ...]:
        """Queues whose tickets a queue answers for: itself and all below; 0 stands for all."""
        if queue == ALL_QUEUES and queue not in self.parents:
            return tuple(sorted(self.parents))
        self._parent(queue)
        return (queue, *self.descendants(queue))

    def structure(self, queue: int) -> Structure:
        """The structure part of a queue's statistics; raises TreeError for an unknown queue."""
        level = self.level(queue)
        below = self.descendants(queue)
        return Structure(
            level=level,
            direct_children=len(self.children(queue)),
            all_descendants=len(below),
            leaf_nodes=sum(not self.children(node) for node in below),
            depth=max((self.level(node) for node in below), default=level) - level,
            parent_id=self._parent(queue),
        )

    def loads(self, own: Mapping[int, float]) -> dict[int, float]:
        """Tickets of each queue with all below it; `own` are the tickets filed in it directly."""
        totals = {queue: float(own.get(queue, 0.0)) for queue in self.parents}
        for queue in sorted(self.parents, key=self.level, reverse=True):
            parent = self.parents[queue]
            if parent is not None:
                totals[parent] += totals[queue]
        return totals

    def by_level(
        self, own: Mapping[int, float], top: int = 30
    ) -> dict[int, list[tuple[int, float]]]:
        """The `top` most loaded (queue, load) of each level, loads as in `loads`."""
        totals = self.loads(own)
        levels: dict[int, list[tuple[int, float]]] = {}
        for queue in sorted(totals, key=lambda queue: (-totals[queue], queue)):
            row = levels.setdefault(self.level(queue), [])
            if len(row) < top:
                row.append((queue, totals[queue]))
        return dict(sorted(levels.items()))

    def total(self, own: Mapping[int, float]) -> float:
        """All tickets, each once: the sum of what was filed directly, not of the levels."""
        return float(sum(own.get(queue, 0.0) for queue in self.parents))

    def _parent(self, queue: int) -> int | None:
        try:
            return self.parents[queue]
        except KeyError:
            raise TreeError(f"unknown queue {queue}") from None
