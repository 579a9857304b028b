"""The nightly refit: not before the projection has caught up, and once a day."""

from datetime import UTC, datetime, timedelta

import numpy as np

from services.forecaster.adapters.archive import ForecastArchive
from services.forecaster.app import create_services
from services.forecaster.dependencies import Services
from services.forecaster.refit import Refit
from services.forecaster.settings import ForecasterSettings
from shared import redis_keys
from shared.forecast_result import QueueForecast
from shared.forecasting import Champion, ForecastOrder, Method, SeriesName, TrainOrder
from shared.granularity import Granularity
from shared.queues import QueueDirectory
from shared.windows import Dimension, Grain
from tests.fakes import InMemoryStore

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
DIRECTORY = QueueDirectory(ids={"HR": 5})


def a_store() -> InMemoryStore:
    """Two tickets in each hour of the year so far, of one queue."""
    store = InMemoryStore()
    for dimension, name in ((Dimension.QUEUE, "HR"), (Dimension.TOPIC, "pay")):
        store.sets[redis_keys.series(dimension)] = {name}
        for grain, count, cells in ((Grain.HOUR, 2, 60 * 24 + 12), (Grain.DAY, 48, 61)):
            packed = np.full(cells, count, ">u4").tobytes()
            store.stored[redis_keys.load(grain, "2026", dimension, name)] = packed
    return store


async def asked(services: Services, order: ForecastOrder) -> QueueForecast:
    return QueueForecast.model_validate_json(await services.forecasting.forecast(order))


async def test_published_once_a_day_and_only_of_a_whole_history() -> None:
    now, reason = [NOON], ["12 records to go"]
    store = a_store()
    services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: now[0])

    async def not_ready() -> str | None:
        return reason[0] or None

    refit, archive = Refit(services.publishing, not_ready), ForecastArchive(store, kept=120)
    await refit.publish()
    assert await archive.all(5) == []
    reason[0] = ""
    await refit.publish()
    await refit.publish()
    assert len(await archive.all(5)) == len(await archive.all(0)) == 1
    now[0] += timedelta(days=1)
    await refit.publish()
    days = [made.start for made in await archive.all(5)]
    assert days[1] - days[0] == 1


async def test_a_week_of_silence_is_not_a_forecast_of_nothing() -> None:
    """A source that stopped is not a queue at rest: the forecast begins after its last day."""
    later = NOON + timedelta(days=30)
    store = a_store()
    services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: later)
    assert await services.publishing.publish() == 2
    [made] = await ForecastArchive(store, kept=120).all(5)
    assert made.mean[:7].sum() > 7 * 30


async def test_tickets_that_came_late_are_learned_from() -> None:
    now, store = [NOON], a_store()
    services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: now[0])
    order = ForecastOrder(series=SeriesName(queue="HR"), horizon=1, granularity=Granularity.DAILY)
    before = (await asked(services, order)).values
    key = redis_keys.load(Grain.HOUR, "2026", Dimension.QUEUE, "HR")
    store.stored[key] = np.full(60 * 24 + 12, 20, ">u4").tobytes()
    assert (await asked(services, order)).values == before
    now[0] += timedelta(seconds=11)
    after = (await asked(services, order)).values
    assert after[0] > 5 * before[0]


async def test_a_champion_is_chosen_with_the_first_forecast_and_anew_after_a_week() -> None:
    now, store = [NOON], a_store()
    services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: now[0])
    order = ForecastOrder(series=SeriesName(queue="HR"), horizon=3)
    assert (await asked(services, order)).champion is None
    await services.publishing.publish()
    first = (await asked(services, order)).champion
    assert first is not None
    assert (first.queue_id, str(first.judged_until)) == (5, "2026-03-01")
    assert first.losses[first.method] <= min(first.losses.values()) / 0.97
    for days, judged_until in ((6, "2026-03-01"), (8, "2026-03-09")):
        now[0] = NOON + timedelta(days=days)
        for dimension, name in ((Dimension.QUEUE, "HR"), (Dimension.TOPIC, "pay")):
            for grain, cells in ((Grain.HOUR, (61 + days) * 24), (Grain.DAY, 61 + days)):
                packed = np.full(cells, 2, ">u4").tobytes()
                store.stored[redis_keys.load(grain, "2026", dimension, name)] = packed
        await services.publishing.publish()
        [champion] = (await services.forecasting.shelf.champions([5])).values()
        assert str(champion.judged_until) == judged_until


async def test_only_so_many_queues_are_judged_a_day() -> None:
    store = a_store()
    settings = ForecasterSettings(judged_a_day=1)
    services = create_services(settings, store, DIRECTORY, lambda: NOON)
    assert await services.publishing.publish() == 2
    assert len(await services.forecasting.shelf.champions([0, 5])) == 1


async def test_a_champion_makes_the_forecasts_of_its_queue_and_trained_models_come_first() -> None:
    store = a_store()
    services = create_services(ForecasterSettings(), store, DIRECTORY, lambda: NOON)
    order = ForecastOrder(series=SeriesName(queue="HR"), horizon=3)
    crowned = Champion(queue_id=5, method=Method.WEEKLY_MEAN, judged_until=NOON.date(), losses={})
    await services.forecasting.shelf.crown(crowned)
    assert (await asked(services, order)).model == "weekly-mean"
    other = order.model_copy(update={"method": Method.SEASONAL_NAIVE})
    assert (await asked(services, other)).model == "seasonal-naive"
    await services.judging.train(
        TrainOrder(series=SeriesName(queue="HR"), horizon=7, method=Method.SEASONAL_NAIVE)
    )
    assert (await asked(services, order)).model == "seasonal-naive"
