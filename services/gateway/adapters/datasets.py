"""Uploaded datasets, read by whoever knows their id."""

from collections.abc import Sequence

from services.gateway.adapters.views import QueueMix, Views, Windows
from shared import redis_keys
from shared.errors import BadRequest, NotFound
from shared.forecasting import Dataset
from shared.queues import SEPARATOR, QueueDirectory
from shared.windows import Dimension, Grain


async def find_dataset(views: Views, dataset_id: str) -> Dataset:
    """Raises NotFound for an id nobody was given, or that expired."""
    [raw] = await views.strings([redis_keys.dataset(dataset_id)])
    if raw is None:
        raise NotFound("nobody knows this dataset; POST /api/upload_data makes one")
    return Dataset.model_validate_json(raw)


def directory_of(dataset: Dataset) -> QueueDirectory:
    """Paths of ids from the root, each with the last of them as its id."""
    return QueueDirectory(ids={path: queue for queue, path in dataset.paths().items()})


class DatasetWindows(Windows):
    """The days of one dataset by path of queue."""

    def __init__(self, views: Views, dataset: Dataset) -> None:
        self._views = views
        self._dataset = dataset

    async def series(self, dimension: Dimension) -> frozenset[str]:
        if dimension is not Dimension.QUEUE:
            return frozenset()
        paths = self._dataset.paths()
        return frozenset(paths[queue] for queue in self._dataset.queues)

    async def windows(
        self, grain: Grain, dimension: Dimension, names: Sequence[str], periods: Sequence[str]
    ) -> list[bytes | None]:
        if dimension is not Dimension.QUEUE:
            await self.mixes(())
        if grain is not Grain.DAY:
            raise BadRequest("an uploaded dataset is kept by day; ask for daily or a coarser one")
        queues = [name.rsplit(SEPARATOR, 1)[-1] for name in names]
        return await self._views.strings(
            [
                redis_keys.dataset_load(self._dataset.id, p, queue)
                for queue in queues
                for p in periods
            ]
        )

    async def mixes(self, queues: Sequence[str]) -> list[QueueMix]:
        raise BadRequest("an uploaded dataset has queues, but no topics and priorities")

    async def mixed(self, mixes: Sequence[QueueMix], periods: Sequence[str]) -> list[bytes | None]:
        return []
