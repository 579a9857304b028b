"""Trained choices of method, kept per queue, and apart for every uploaded dataset."""

from collections.abc import Sequence
from functools import partial

from services.forecaster.adapters.live_load import Target
from services.forecaster.adapters.recent import Recent
from services.forecaster.adapters.store import Store
from shared import redis_keys as keys
from shared.clock import Clock
from shared.forecasting import Champion, Method, TrainedModel
from shared.windows import Dimension

CHAMPION_SECONDS = 60 * 86_400


class ModelShelf:
    """The models of live load, or of one dataset."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._live = Recent(partial(self.all, None), clock)

    async def all(self, dataset_id: str | None) -> list[TrainedModel]:
        """Every model, the oldest first."""
        stored = await self._store.fields(keys.models(dataset_id))
        models = [TrainedModel.model_validate_json(raw) for raw in stored.values()]
        return sorted(models, key=lambda model: (model.trained_at, model.id))

    async def choice(self, target: Target) -> Method:
        """The method last trained for a series by somebody; `auto` where none was.

        Of live load what another process trained counts a second later.
        """
        if target.dimension is not Dimension.QUEUE:
            return Method.AUTO
        chosen = Method.AUTO
        live = target.dataset_id is None
        for model in await (self._live.get() if live else self.all(target.dataset_id)):
            if model.queue_id == target.queue_id:
                chosen = model.method
        return chosen

    async def champions(self, queue_ids: Sequence[int]) -> dict[int, Champion]:
        """The champions of live queues that have one."""
        raws = await self._store.strings([keys.champion(queue_id) for queue_id in queue_ids])
        found = [Champion.model_validate_json(raw) for raw in raws if raw is not None]
        return {champion.queue_id: champion for champion in found}

    async def crown(self, champion: Champion) -> None:
        """Keep a champion, until it is chosen anew or the queue is forgotten."""
        content = champion.model_dump_json().encode()
        await self._store.put({keys.champion(champion.queue_id): content}, CHAMPION_SECONDS)

    async def put(self, model: TrainedModel) -> None:
        """Keep a model, in place of one with the same id."""
        key = keys.models(model.series.dataset_id)
        await self._store.set_field(key, model.id, model.model_dump_json().encode())
        self._live.forget()

    async def clear(self, dataset_id: str | None, queue_id: int | None) -> int:
        """Forget the models of a queue, or all; answers how many there were."""
        models = await self.all(dataset_id)
        names = [each.id for each in models if queue_id is None or each.queue_id == queue_id]
        dropped = await self._store.drop_fields(keys.models(dataset_id), names)
        self._live.forget()
        return dropped
