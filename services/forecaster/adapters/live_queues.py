"""The queues of live load: those of the directory, and those that a ticket was counted for."""

from collections.abc import Mapping

from services.forecaster.adapters.recent import Recent
from services.forecaster.adapters.store import Store
from shared import redis_keys as keys
from shared.clock import Clock
from shared.errors import NotFound
from shared.queues import SEPARATOR, QueueDirectory, QueueNode, tree
from shared.windows import Dimension


class QueueTree:
    """Every queue listed or seen. seen: those that have tickets of their own, in order."""

    def __init__(self, directory: QueueDirectory, members: frozenset[str]) -> None:
        self.nodes: Mapping[str, QueueNode] = tree(directory, members)
        self.members = members
        self.seen = tuple(sorted(members))
        self._by_id = {node.id: node for node in self.nodes.values()}

    def find(self, name: str) -> QueueNode | None:
        """The queue of a path or an id."""
        node = self.nodes.get(name.strip(SEPARATOR))
        if node is None and name.isascii() and name.isdigit():
            return self._by_id.get(int(name))
        return node

    def parts(self, node: QueueNode) -> tuple[str, ...]:
        """The queue and those below it, those of them that have windows."""
        return tuple(path for path in (node.path, *node.descendants) if path in self.members)


class LiveQueues:
    """The tree as it was at most a second ago."""

    def __init__(self, store: Store, directory: QueueDirectory, clock: Clock) -> None:
        self._store = store
        self._directory = directory
        self._tree = QueueTree(directory, frozenset())
        self._recent = Recent(self._read, clock)

    async def tree(self) -> QueueTree:
        """Every queue listed or seen."""
        return await self._recent.get()

    async def find(self, name: str) -> QueueNode:
        """The queue of a path or an id. Raises NotFound."""
        node = (await self.tree()).find(name)
        if node is None:
            # It may have got its first ticket this very second.
            self._recent.forget()
            node = (await self.tree()).find(name)
        if node is None:
            raise NotFound(f"nobody knows a queue {name!r}; GET /api/queues lists them")
        return node

    async def _read(self) -> QueueTree:
        members = await self._store.members(keys.series(Dimension.QUEUE))
        if members != self._tree.members:
            self._tree = QueueTree(self._directory, members)
        return self._tree
