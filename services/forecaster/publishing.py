"""Publishing: every queue's forecast once a day, and how those of the past turned out."""

import logging

from services.forecaster.adapters.archive import KEPT_DAYS, ForecastArchive
from services.forecaster.adapters.live_load import LiveLoad
from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.schedule import schedule
from services.forecaster.domain.forecasting.series import Frequency, History, day_number, day_of
from services.forecaster.domain.judging.backtest import Trial, judge, summarise
from services.forecaster.domain.judging.metrics import LEAD_BUCKETS, bucket_name
from services.forecaster.forecasting import Forecasting, Subject
from services.forecaster.judging import Judging
from shared.forecasting import MAX_HORIZON_DAYS, Accuracy, LeadScore, Method, SeriesName
from shared.queues import ALL_QUEUES

log = logging.getLogger(__name__)
SHORTEST_DAYS = 14
JUDGED_EVERY_DAYS = 7


class Publishing:
    """Makes the day's forecasts before anyone asks, and keeps them."""

    def __init__(
        self,
        forecasting: Forecasting,
        live: LiveLoad,
        archive: ForecastArchive,
        judging: Judging,
        judged_a_day: int,
    ) -> None:
        """judged_a_day: how many queues may be judged anew each day, for the sake of the CPU."""
        self._forecasting = forecasting
        self._live = live
        self._archive = archive
        self._judging = judging
        self._judged_a_day = judged_a_day
        self._judged: tuple[int, int] = (0, 0)

    async def publish(self) -> int:
        """Forecast every queue that has none from today on; answers how many were made."""
        nodes = await self._live.nodes()
        names = [str(ALL_QUEUES), *nodes] if nodes else []
        made = [await self._publish(SeriesName(queue=name)) for name in names]
        return sum(made)

    async def _publish(self, series: SeriesName) -> bool:
        subject = await self._forecasting.subject(series)
        closed = await subject.source.closed(Frequency.DAILY, subject.calendar)
        queue_id = subject.target.queue_id
        if await self._archive.has(queue_id, closed):
            return False
        plan = schedule(Frequency.DAILY, closed, subject.calendar, horizon=MAX_HORIZON_DAYS)
        await self._judge(subject, closed)
        # As it is before the day: hours of the day itself would make its own accuracy look good.
        made = await self._forecasting.distribution(subject, plan, Method.AUTO, moved=False)
        await self._archive.put(queue_id, made)
        return True

    async def _judge(self, subject: Subject, closed: int) -> None:
        """Choose the queue's champion anew if a week has passed, and not too many were today."""
        day, judged = self._judged
        if closed > day:
            day, judged = closed, 0
        queue_id = subject.target.queue_id
        champion = (await self._forecasting.shelf.champions([queue_id])).get(queue_id)
        due = champion is None or closed - day_number(champion.judged_until) > JUDGED_EVERY_DAYS
        if due and judged < self._judged_a_day:
            await self._judging.champion(subject, await subject.history(Frequency.DAILY))
            judged += 1
        self._judged = day, judged

    async def accuracy(self, series: SeriesName) -> Accuracy:
        """Scores of published forecasts per range of leads, beside the seasonal naive."""
        subject = await self._forecasting.subject(series)
        history = await subject.history(Frequency.DAILY)
        queue_id = subject.target.queue_id
        published = await self._archive.all(queue_id)
        trials = [trial for made in published if (trial := _held_to(made, history))]
        names = [bucket_name(bucket) for bucket in LEAD_BUCKETS]
        found = {name: summarise(trials, name) for name in names}
        return Accuracy(
            queue_id=queue_id,
            published=len(trials),
            first_origin=day_of(trials[0].origin) if trials else None,
            last_origin=day_of(trials[-1].origin) if trials else None,
            leads={
                name: LeadScore.model_validate(scores | {"cpu_ms_per_fit": None})
                for name, scores in found.items()
                if scores
            },
        )


def _held_to(made: ForecastDistribution, history: History) -> Trial | None:
    """The forecast beside what happened; None before a day has closed or with hardly a past."""
    past = history.until(made.start)
    first = made.start - history.start
    actuals = history.values[max(first, 0) : first + KEPT_DAYS]
    if len(past.values) < SHORTEST_DAYS or not len(actuals):
        return None
    return judge("", past, made, actuals, cpu_ms=0.0)
