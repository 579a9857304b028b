"""The queue tree as clients address it: by path or by id, 0 for all."""

from collections.abc import Iterable, Mapping
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


class QueueTree:
    """The tree of every queue listed or seen."""

    def __init__(self, directory: QueueDirectory, seen: Iterable[str]) -> None:
        self.seen = frozenset(seen)
        self._directory = directory
        self._nodes = tree(directory, self.seen)
        self._by_id = {node.id: node for node in self._nodes.values()}

    def id_of(self, path: str) -> int:
        return self._directory.id_of(path)

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
