"""The answer to a forecast's order: made by the forecaster, passed on by the gateway as it is."""

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from shared.dates import Day
from shared.forecasting import Champion
from shared.granularity import Granularity


class ConfidenceInterval(BaseModel):
    """Between lower_80 and upper_80 lie eight of ten outcomes; counts are whole numbers."""

    timestamp: str
    lower_95: float
    lower_80: float
    median: float
    upper_80: float
    upper_95: float


EXAMPLE: dict[str, JsonValue] = {
    "queue_id": 11,
    "values": [41.2],
    "timestamps": ["2026-04-01"],
    "granularity": "daily",
    "confidence_intervals": [
        {
            "timestamp": "2026-04-01",
            "lower_95": 27,
            "lower_80": 32,
            "median": 41,
            "upper_80": 51,
            "upper_95": 57,
        }
    ],
    "model": "calendar-pool",
    "trained_until": "2026-03-31",
}


class ForecastResult(BaseModel):
    """Mean tickets per interval, by the clock and calendar of the queue."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    queue_id: int
    values: list[float]
    timestamps: list[str] = Field(
        description="The first day of each interval, YYYY-MM-DD; hourly YYYY-MM-DDTHH:00:00Z."
    )
    granularity: Granularity
    confidence_intervals: list[ConfidenceInterval] | None
    model: str
    trained_until: Day | None


CHAMPION: dict[str, JsonValue] = {
    "queue_id": 11,
    "method": "pool",
    "judged_until": "2026-03-28",
    "losses": {
        "pool": 0.1514,
        "intermittent": 0.1801,
        "weekly-mean": 0.1921,
        "seasonal-naive": 0.2158,
    },
}


class QueueForecast(ForecastResult):
    """A forecast and how its method was chosen."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE | {"champion": CHAMPION}]})

    champion: Champion | None = Field(
        description="What `auto` means for the queue, judged anew each week; null before, and for "
        "topics, priorities and uploads."
    )
