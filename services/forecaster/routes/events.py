"""Planned events: add, list, remove."""

from fastapi import APIRouter

from services.forecaster.dependencies import Forecaster
from shared.errors import BadRequest
from shared.forecasting import EventPlan, EventRecord, SeriesName
from shared.http.problems import responses

router = APIRouter(prefix="/events", tags=["events"])


@router.get("", operation_id="list_events", summary="Every planned event", responses=responses(503))
async def list_events(forecaster: Forecaster) -> list[EventRecord]:
    """The first to begin first."""
    return await forecaster.forecasting.events.records()


@router.post(
    "",
    status_code=201,
    operation_id="add_event",
    summary="Plan an event",
    responses=responses(400, 404, 422, 503),
)
async def add_event(plan: EventPlan, forecaster: Forecaster) -> EventRecord:
    """Forecasts made from now on use it."""
    if plan.last_day < plan.first_day:
        raise BadRequest(f"last_day {plan.last_day} lies before first_day {plan.first_day}")
    queue = None
    if plan.queue is not None:
        subject = await forecaster.forecasting.subject(SeriesName(queue=plan.queue))
        queue = subject.target.path or None
    return await forecaster.forecasting.events.add(plan, queue)


@router.delete(
    "/{event_id}",
    status_code=204,
    operation_id="remove_event",
    summary="Take a planned event back",
    responses=responses(404, 503),
)
async def remove_event(event_id: str, forecaster: Forecaster) -> None:
    """Forecasts made from now on do not know it."""
    await forecaster.forecasting.events.remove(event_id)
