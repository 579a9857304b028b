"""What the forecaster's internal port is asked and answers; the gateway is its only client."""

from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.dates import Day
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

    topic, priority: of its tickets only those of one, or of both together. dataset_id: an
    uploaded dataset instead of the live load.
    """

    queue: str = Field(default="0", min_length=1, max_length=200)
    topic: str | None = Field(default=None, min_length=1, max_length=200)
    priority: str | None = Field(default=None, min_length=1, max_length=200)
    dataset_id: str | None = Field(default=None, min_length=1, max_length=64)


class ForecastOrder(Message):
    """A forecast of `horizon` days from `start` on, made from nothing but what lies before it.

    intervals, champion: what the answer holds beside the mean; see `shared.forecast_result`.
    """

    series: SeriesName
    horizon: int = Field(default=30, ge=1, le=MAX_HORIZON_DAYS)
    granularity: Granularity = Granularity.DAILY
    method: Method = Method.AUTO
    train_start: date | None = None
    train_end: date | None = None
    start: date | None = None
    intervals: bool = True
    champion: bool = True


class Champion(Message):
    """The method that `auto` means for a queue, by a backtest on the days up to `judged_until`.

    losses: mean pinball loss of each method over the seasonal naive error, lower is better; the
    default keeps its place unless another is better by 3 %.
    """

    queue_id: int
    method: Method
    judged_until: date
    losses: dict[Method, float]


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
    cpu_ms_per_fit: float | None = Field(
        default=None, description="Of backtests; null for forecasts that were published."
    )
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


class EventPlan(Message):
    """A span of days, both included, known beforehand to change the load."""

    kind: str = Field(
        min_length=1,
        max_length=64,
        description="Events of one kind share one learned effect: a release teaches the next one.",
        examples=["release"],
    )
    first_day: Day
    last_day: Day
    expected_change: float | None = Field(
        default=None,
        gt=-1,
        le=100,
        strict=True,
        description="The planner's guess, .5 is half as much again; used until one was seen.",
    )
    queue: str | None = Field(
        default=None,
        min_length=1,
        max_length=200,
        description="Path or id of the queue concerned, with everything below it; null for all.",
    )


class EventRecord(EventPlan):
    """A planned event that forecasts use. `queue` is a path."""

    id: str


class Accuracy(Message):
    """How forecasts that were published turned out. leads: by range of leads, such as "1-7"."""

    queue_id: int
    published: int = Field(description="Forecasts that at least one closed day can be held to.")
    first_origin: date | None
    last_origin: date | None
    leads: dict[str, LeadScore]


class Channel(StrEnum):
    """Calls are answered now or lost; mail waits and has to be finished in time."""

    CALLS = "calls"
    MAIL = "mail"


class StaffingNeed(Message):
    """What is promised to whoever writes or calls, and when people work. Times in seconds."""

    channel: Channel = Channel.CALLS
    handling_seconds: float = Field(ge=1, le=604_800, description="Mean time one ticket takes.")
    answer_seconds: float = Field(
        ge=0,
        le=2_592_000,
        description="Calls: answered within. Mail: finished within, in whole hours rounded up.",
    )
    service_level: float = Field(default=0.8, ge=0.01, le=0.999, description="Share to be in time.")
    shrinkage: float = Field(
        default=0.0, ge=0, le=0.95, description="Share of paid time that nobody works: breaks."
    )
    max_occupancy: float = Field(default=1.0, ge=0.05, le=1, description="Of calls only.")
    patience_seconds: float | None = Field(
        default=None,
        ge=1,
        le=604_800,
        description="Mean time until a caller gives up (Erlang A); null for never (Erlang C).",
    )
    open_from: int = Field(default=0, ge=0, le=23, description="First hour worked, local time.")
    open_to: int = Field(default=24, ge=1, le=24, description="Hour that work ends.")
    weekends: bool = True
    backlog: float = Field(default=0.0, ge=0, le=1e6, description="Mail that waits already.")
    breach_limit: float = Field(
        default=0.05,
        ge=0.001,
        le=0.999,
        description="Of mail: probability to miss the level at most.",
    )


class StaffingOrder(Message):
    """Positions per hour of the next `days` of a series, or of one interval of given contacts."""

    series: SeriesName
    need: StaffingNeed
    days: int = Field(default=1, ge=1, le=14)
    contacts: float | None = Field(default=None, ge=0, le=1e6)
    interval_minutes: int = Field(default=60, ge=5, le=1440)


class StaffedInterval(Message):
    """raw: positions at work; scheduled: paid. Calls have the line's state, mail its backlog."""

    begins: str | None = Field(description="UTC; null for contacts given.")
    contacts: float
    raw: int
    scheduled: int
    service_level: float | None = None
    occupancy: float | None = None
    mean_wait_seconds: float | None = None
    abandonment: float | None = None
    backlog: float | None = None
    late_share: float | None = None


class StaffingPlan(Message):
    """breach_probability: of mail, that less than the level is finished in time."""

    queue_id: int
    channel: Channel
    intervals: list[StaffedInterval]
    breach_probability: float | None = None
