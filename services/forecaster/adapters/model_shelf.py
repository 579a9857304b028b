"""Trained choices of method, kept per queue, and apart for every uploaded dataset."""

from services.forecaster.adapters.live_load import Target
from services.forecaster.adapters.store import Store
from shared import redis_keys as keys
from shared.forecasting import Method, SeriesName, TrainedModel
from shared.windows import Dimension


class ModelShelf:
    """The models of live load, or of one dataset."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self, dataset_id: str | None) -> list[TrainedModel]:
        """Every model, the oldest first."""
        stored = await self._store.fields(keys.models(dataset_id))
        models = [TrainedModel.model_validate_json(raw) for raw in stored.values()]
        return sorted(models, key=lambda model: (model.trained_at, model.id))

    async def choice(self, series: SeriesName, target: Target) -> Method:
        """The method last trained for a series; `auto` where none was."""
        if target.dimension is not Dimension.QUEUE:
            return Method.AUTO
        chosen = Method.AUTO
        for model in await self.all(series.dataset_id):
            if model.queue_id == target.queue_id:
                chosen = model.method
        return chosen

    async def put(self, model: TrainedModel) -> None:
        """Keep a model, in place of one with the same id."""
        key = keys.models(model.series.dataset_id)
        await self._store.set_field(key, model.id, model.model_dump_json().encode())

    async def clear(self, dataset_id: str | None, queue_id: int | None) -> int:
        """Forget the models of a queue, or all; answers how many there were."""
        models = await self.all(dataset_id)
        names = [each.id for each in models if queue_id is None or each.queue_id == queue_id]
        return await self._store.drop_fields(keys.models(dataset_id), names)
