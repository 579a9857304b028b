"""GET /api/v1/alerts: surges of topics and queues, and one of them."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Response
from fastapi import Query as InQuery
from pydantic import BaseModel, Field

from services.gateway.dependencies import Gateway, Name, QueueName
from services.gateway.domain.alerts import Alert, State, read_alerts
from services.gateway.routes.paging import LINK, PageQuery
from shared import redis_keys
from shared.clock import utc_now
from shared.errors import NotFound
from shared.events import AlertRaised
from shared.http.problems import responses

router = APIRouter(prefix="/api/v1/alerts", tags=["alerts"])


class AlertQuery(PageQuery):
    """Which alerts, and which page of them."""

    state: State | None = Field(default=None, description="Open ones go on; closed ones are over.")
    queue: QueueName | None = None
    topic: Name | None = Field(default=None, examples=["vpn"])


class AlertList(BaseModel):
    """The latest to begin first. `next` is null on the last page."""

    alerts: list[Alert]
    next: str | None = Field(examples=["MTc3MjQ0MjAwMDAwMDphLTE"])


@router.get(
    "",
    operation_id="list_alerts",
    summary="Surges: far more tickets than usual, from many people",
    responses={200: {"headers": LINK}, **responses(400, 404, 422, 503)},
)
async def list_alerts(
    query: Annotated[AlertQuery, InQuery()], gateway: Gateway, response: Response
) -> AlertList:
    """One per incident, whichever of its queue and its topic showed it first."""
    before = query.before
    page = await read_alerts(gateway.views, await _wanted(query, gateway), before, query.limit)
    now = utc_now()
    following = query.link(response, router.prefix, page.next)
    return AlertList(alerts=[Alert.of(each, now) for each in page.alerts], next=following)


@router.get(
    "/{alert_id}",
    operation_id="read_alert",
    summary="One surge",
    responses=responses(404, 422, 503),
)
async def read_alert(
    alert_id: Annotated[str, Path(min_length=1, max_length=128)], gateway: Gateway
) -> Alert:
    """404 after a year."""
    [raw] = await gateway.views.strings([redis_keys.alert(alert_id)])
    if raw is None:
        raise NotFound(f"no alert {alert_id!r}; GET /api/v1/alerts lists them")
    return Alert.of(AlertRaised.model_validate_json(raw), utc_now())


async def _wanted(query: AlertQuery, gateway: Gateway) -> Callable[[AlertRaised], bool]:
    paths: frozenset[str] | None = None
    if query.queue is not None:
        node = (await gateway.load.tree()).find(query.queue)
        paths = None if node is None else frozenset((node.path, *node.descendants))

    def wanted(alert: AlertRaised) -> bool:
        return (
            (query.state is None or alert.state == query.state)
            and (query.topic is None or alert.topic == query.topic)
            and (paths is None or alert.queue in paths)
        )

    return wanted
