"""Contract A's reads of load over time: /api/historical."""

from typing import Annotated

import numpy as np
import orjson
from fastapi import APIRouter, Response
from fastapi import Query as InQuery
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.gateway.dependencies import DatasetId, Gateway, Name, Query, QueueId
from services.gateway.domain.load import Span
from shared.dates import Day
from shared.granularity import Granularity, resample
from shared.http.problems import responses

router = APIRouter(prefix="/api", tags=["load"])
AS_JSON = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


# Pydantic's own `deprecated` would warn us, who read it, at every request.
OLDER: dict[str, JsonValue] = {"deprecated": True}


class DatedQuery(Query):
    """`date_start` and `date_end` are the older spelling of the two dates."""

    start_date: Day | None = Field(default=None, examples=["2026-01-01"])
    end_date: Day | None = Field(
        default=None, examples=["2026-03-31"], description="Included in the answer."
    )
    date_start: Day | None = Field(default=None, json_schema_extra=OLDER)
    date_end: Day | None = Field(default=None, json_schema_extra=OLDER)
    dataset_id: DatasetId | None = None

    def span(self, extent: Span | None) -> Span | None:
        """The days asked for; a date left out is the first or last of the data."""
        first = self.start_date or self.date_start or (extent.first if extent else None)
        last = self.end_date or self.date_end or (extent.last if extent else None)
        if first is None or last is None:
            return None
        return Span(first, last)


class HistoricalQuery(DatedQuery):
    """Which queue, in which intervals, from when to when; of its tickets, which."""

    queue_id: QueueId
    topic: Name | None = Field(default=None, description="By day or coarser, unless queue_id is 0.")
    priority: Name | None = Field(default=None, description="The same; or of one topic, by day.")
    granularity: Granularity = Granularity.DAILY


class TimeSeriesData(BaseModel):
    """Tickets created per interval, in UTC."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "queue_id": 0,
                    "values": [118, 97, 0],
                    "timestamps": ["2026-01-01", "2026-01-02", "2026-01-03"],
                    "granularity": "daily",
                }
            ]
        }
    )

    queue_id: int
    values: list[int] = Field(description="Zero where no ticket was created.")
    timestamps: list[str] = Field(
        description="The first day of each interval, YYYY-MM-DD; hourly YYYY-MM-DDTHH:00:00Z."
    )
    granularity: Granularity


@router.get(
    "/historical",
    operation_id="read_history",
    summary="Tickets of a queue per hour, day, week, month, quarter or year",
    response_model=TimeSeriesData,
    responses=responses(400, 404, 422, 503),
)
async def historical(query: Annotated[HistoricalQuery, InQuery()], gateway: Gateway) -> Response:
    """Without dates: all data. Weeks start on Monday; an interval cut by a date is not whole."""
    load = await gateway.load_of(query.dataset_id)
    node = (await load.tree()).find_id(query.queue_id)
    span = query.span(await load.extent())
    values: NDArray[np.int64] = np.zeros(0, np.int64)
    starts: NDArray[np.datetime64] = np.zeros(0, "M8[D]")
    if span is not None:
        span.require_at_most(query.granularity)
        labels = (query.topic, query.priority)
        counts = await load.counts(node, query.granularity.grain, span, labels)
        values, starts = resample(counts, span.first, query.granularity)
    # Straight from the arrays: validating 26,280 numbers of three years costs more than reading.
    body = {
        "queue_id": query.queue_id,
        "values": values,
        "timestamps": _timestamps(starts),
        "granularity": query.granularity,
    }
    content = orjson.dumps(body, option=AS_JSON)
    return Response(content, media_type="application/json")


def _timestamps(starts: NDArray[np.datetime64]) -> list[str] | NDArray[np.datetime64]:
    """As orjson is to write them: it has moments of numpy, ten times faster, but no days."""
    if np.datetime_data(starts.dtype)[0] == "h":
        return starts.astype("M8[s]")
    days: list[str] = np.datetime_as_string(starts).tolist()
    return days
