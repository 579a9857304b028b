"""How many people are needed."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import Field

from services.gateway.dependencies import DatasetId, Gateway, QueueName
from shared.forecasting import SeriesName, StaffingNeed, StaffingOrder, StaffingPlan
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1", tags=["forecasts"])


class StaffingQuery(StaffingNeed):
    """Of a queue's forecast hours, or of one interval of given contacts."""

    queue: QueueName = "0"
    days: int = Field(default=1, ge=1, le=14)
    contacts: float | None = Field(
        default=None, ge=0, le=1e6, description="Instead of the forecast, of channel calls."
    )
    interval_minutes: int = Field(default=60, ge=5, le=1440, description="Of given contacts.")
    dataset_id: DatasetId | None = None

    def order(self) -> StaffingOrder:
        """The same as the forecaster's port wants it."""
        return StaffingOrder(
            series=SeriesName(queue=self.queue, dataset_id=self.dataset_id),
            need=StaffingNeed(**self.model_dump(include=set(StaffingNeed.model_fields))),
            days=self.days,
            contacts=self.contacts,
            interval_minutes=self.interval_minutes,
        )


@router.get(
    "/staffing",
    operation_id="read_staffing",
    summary="Positions per hour that keep a promise to callers or writers",
    responses=responses(400, 404, 422, 503),
)
async def staffing(query: Annotated[StaffingQuery, InQuery()], gateway: Gateway) -> StaffingPlan:
    """Calls by Erlang C, or A where callers give up; mail by how its backlog drains."""
    content = query.order().model_dump_json().encode()
    return StaffingPlan.model_validate_json(
        await gateway.forecasts.ask("POST", "/staffing", content=content)
    )
