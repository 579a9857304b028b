"""The queue tree as clients address it: by path or by id, 0 for all."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import NotFound
from shared.queues import ALL_QUEUES, SEPARATOR, QueueDirectory, QueueNode, tree

TOP_PER_LEVEL = 30
DEEPEST_LEVEL = 6


@dataclass(frozen=True, slots=True)
class QueueLoad:
    """A queue with the tickets of itself and everything below it."""

    id: int
    name: str
    load: int
    level: int


@dataclass(frozen=True, slots=True)
class Structure:
    """Where a queue stands: level 1 for a root, 0 for all queues; the rest is below it."""

    level: int
    direct_children: int
    all_descendants: int
    leaf_nodes: int
    depth: int
    parent_id: int | None


class QueueTree:
    """The tree of every queue listed or seen."""

    def __init__(self, directory: QueueDirectory, seen: Iterable[str]) -> None:
        self.seen = frozenset(seen)
        self._directory = directory
        self._nodes = tree(directory, self.seen)
        self._by_id = {node.id: node for node in self._nodes.values()}

    def id_of(self, path: str) -> int:
        return self._directory.id_of(path)

    @property
    def nodes(self) -> Collection[QueueNode]:
        """Every queue."""
        return self._nodes.values()

    def at(self, path: str) -> QueueNode:
        """The queue of a path that is in the tree."""
        return self._nodes[path]

    def find(self, name: str) -> QueueNode | None:
        """The queue of an id or a path; None for "0", all queues. Raises NotFound."""
        if name.isascii() and name.isdigit():
            number = int(name)
            if number == ALL_QUEUES:
                return None
            if number in self._by_id:
                return self._by_id[number]
        node = self._nodes.get(name.strip(SEPARATOR))
        if node is None:
            raise NotFound(f"nobody knows a queue {name!r}; GET /api/queues lists them")
        return node

    def find_id(self, queue_id: int) -> QueueNode | None:
        """Contract A's addressing: ids only. Raises NotFound."""
        return self.find(str(queue_id))

    def structure(self, node: QueueNode | None) -> Structure:
        """The place of a queue in the tree; None is all queues, the root above all roots."""
        level = node.level if node else 0
        below = [self._nodes[path] for path in (node.descendants if node else self._nodes)]
        return Structure(
            level=level,
            direct_children=sum(other.level == level + 1 for other in below),
            all_descendants=len(below),
            leaf_nodes=sum(not other.descendants for other in below),
            depth=max((other.level for other in below), default=level) - level,
            parent_id=self._nodes[node.parent].id if node and node.parent else None,
        )

    def with_windows(self, node: QueueNode) -> tuple[str, ...]:
        """The queues below `node`, itself included, that any ticket was counted for."""
        return tuple(path for path in (node.path, *node.descendants) if path in self.seen)

    def loads(self, own: Mapping[str, int]) -> dict[int, list[QueueLoad]]:
        """By level, heaviest first: each queue's own tickets plus those of everything below.

        own: tickets counted for exactly this path.
        """
        levels: dict[int, list[QueueLoad]] = {}
        for node in self._nodes.values():
            if node.level > DEEPEST_LEVEL:
                continue
            load = sum(own.get(path, 0) for path in (node.path, *node.descendants))
            levels.setdefault(node.level, []).append(
                QueueLoad(node.id, node.path, load, node.level)
            )
        return {
            level: sorted(queues, key=lambda queue: (-queue.load, queue.name))[:TOP_PER_LEVEL]
            for level, queues in sorted(levels.items())
        }


def totals(windows: Iterable[bytes | None], per_name: int) -> NDArray[np.int64]:
    """Sum of the cells of each run of `per_name` packed strings, shape (names,)."""
    sums = [
        int(np.frombuffer(raw, ">u4", len(raw) // 4).sum(dtype=np.int64)) if raw else 0
        for raw in windows
    ]
    table: NDArray[np.int64] = np.array(sums, np.int64).reshape(-1, per_name)
    by_name: NDArray[np.int64] = table.sum(axis=1)
    return by_name
