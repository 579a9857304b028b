"""Planned events that forecasts know of."""

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Path
from pydantic import TypeAdapter

from services.gateway.dependencies import Gateway
from shared.forecasting import EventPlan, EventRecord
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/events", tags=["forecasts"])
EVENTS = TypeAdapter(list[EventRecord])


@router.get("", operation_id="list_events", summary="Every planned event", responses=responses(503))
async def list_events(gateway: Gateway) -> list[EventRecord]:
    """The first to begin first."""
    return EVENTS.validate_json(await gateway.forecasts.ask("GET", "/events"))


@router.post(
    "",
    status_code=201,
    operation_id="add_event",
    summary="Plan an event: a release, a campaign",
    responses=responses(400, 404, 422, 503),
)
async def add_event(plan: EventPlan, gateway: Gateway) -> EventRecord:
    """Forecasts made from now on use it."""
    content = plan.model_dump_json().encode()
    raw = await gateway.forecasts.ask("POST", "/events", content=content)
    return EventRecord.model_validate_json(raw)


@router.delete(
    "/{event_id}",
    status_code=204,
    operation_id="remove_event",
    summary="Take a planned event back",
    responses=responses(404, 422, 503),
)
async def remove_event(
    event_id: Annotated[str, Path(min_length=1, max_length=64, pattern="^[0-9a-f]+$")],
    gateway: Gateway,
) -> None:
    """Forecasts made from now on do not know it."""
    await gateway.forecasts.ask("DELETE", f"/events/{quote(event_id, safe='')}")
