"""What the forecaster's internal port is asked and answers; the gateway is its only client."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.granularity import Granularity

MAX_HORIZON_DAYS = 300
QUANTILES = (0.025, 0.1, 0.5, 0.9, 0.975)


class Method(StrEnum):
    """How a forecast is made; `auto` is the trained choice, else the one fit for the volume."""

    AUTO = "auto"
    POOL = "pool"
    INTERMITTENT = "intermittent"
    WEEKLY_MEAN = "weekly-mean"
    SEASONAL_NAIVE = "seasonal-naive"


class Message(BaseModel):
    """Base: immutable; an unknown field is a mistake of the sender."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SeriesName(Message):
    """Which series: a queue by id or path with everything below it; "0" is all queues.

    Of all queues, one topic or one priority may be asked for. dataset_id: an uploaded dataset
    instead of the live load.
    """

    queue: str = Field(default="0", min_length=1, max_length=200)
    topic: str | None = Field(default=None, min_length=1, max_length=200)
    priority: str | None = Field(default=None, min_length=1, max_length=200)
    dataset_id: str | None = Field(default=None, min_length=1, max_length=64)


class ForecastOrder(Message):
    """A forecast of `horizon` days from `start` on, made from nothing but what lies before it."""

    series: SeriesName
    horizon: int = Field(default=30, ge=1, le=MAX_HORIZON_DAYS)
    granularity: Granularity = Granularity.DAILY
    method: Method = Method.AUTO
    train_start: date | None = None
    train_end: date | None = None
    start: date | None = None


class Forecast(Message):
    """timestamps: first day of each interval, hours as UTC moments. quantiles: by QUANTILES."""

    queue_id: int
    granularity: Granularity
    timestamps: list[str]
    values: list[float]
    quantiles: list[list[float]]
    method: str
    trained_until: date | None = Field(description="The last day that was learned from.")


class TrainOrder(Message):
    """Judge a method on the days after `train_end`, and remember it for the queue."""

    series: SeriesName
    horizon: int = Field(default=30, ge=1, le=MAX_HORIZON_DAYS)
    method: Method = Method.AUTO
    train_start: date | None = None
    train_end: date | None = None


class HeldOut(Message):
    """Errors on days that the forecast did not see; mape over days that had tickets."""

    rmse: float
    mae: float
    mape: float | None = Field(description="A share, .1 is 10 %; null where no day had tickets.")
    days: int


class TrainedModel(HeldOut):
    """A choice of method for one series, and how it did on held-out days."""

    id: str
    queue_id: int
    series: SeriesName
    method: Method
    trained_at: AwareDatetime


class Comparison(Message):
    """Every method judged on the same held-out days."""

    methods: dict[str, HeldOut]


class BacktestOrder(Message):
    """Rolling origins: each forecast sees only what was before it."""

    series: SeriesName
    horizon: int = Field(default=28, ge=1, le=MAX_HORIZON_DAYS)
    origins: int = Field(default=4, ge=1, le=20)


class Dataset(Message):
    """An uploaded dataset: days of queues, and the tree of queues if one was uploaded.

    queues: ids that have rows. parents: queue id to parent id. first, last: days of the rows.
    """

    id: str
    created_at: AwareDatetime
    queues: list[int] = []
    parents: dict[int, int | None] = {}
    first: date | None = None
    last: date | None = None
    version: str = Field(default="", description="Changes with every upload.")

    def paths(self) -> dict[int, str]:
        """Queue id to its path of ids from the root, for rows and tree alike."""
        found: dict[int, str] = {}
        for queue in (*self.parents, *self.queues):
            above, line = self.parents.get(queue), [str(queue)]
            while above is not None:
                line.append(str(above))
                above = self.parents.get(above)
            found[queue] = "/".join(reversed(line))
        return found


UploadKind = Literal["tickets", "hierarchy"]


class Uploaded(Message):
    """What an upload left behind."""

    dataset_id: str
    queues: int


class LeadScore(BaseModel):
    """Errors of one range of leads in days; relative ones are ratios to the seasonal naive."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    mase: float
    relative_mase: float
    wape: float
    pinball: float
    relative_pinball: float
    coverage_80: float
    coverage_95: float
    cpu_ms_per_fit: float
    forecasts: int


class Backtest(Message):
    """leads: scores by range of leads, such as "1-7". first, last: days of the history."""

    queue_id: int
    method: str
    horizon: int
    forecasts: int
    first: date
    last: date
    leads: dict[str, LeadScore]
