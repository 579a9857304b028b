"""GET /api/v1/status: everything a live table shows, in one answer."""

import asyncio
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.probes import ServiceState
from services.gateway.dependencies import Gateway, Ports
from shared import redis_keys
from shared.events import ModelStamp
from shared.http.problems import responses
from shared.read_model import Totals
from shared.windows import Dimension

router = APIRouter(prefix="/api/v1", tags=["operations"])
TOP_QUEUES = 10

EXAMPLE: dict[str, Any] = {
    "totals": {
        "labelled": 1830,
        "counted": 1830,
        "updated": 0,
        "duplicates": 0,
        "skipped": 0,
        "gaps": 0,
        "corrected": 41,
    },
    "tickets": 1830,
    "positions": [
        {"topic": "tickets.labelled.v1", "partition": 0, "offset": 152, "source": 151},
        {"topic": "tickets.corrected.v1", "partition": 0, "offset": 41, "source": None},
    ],
    "top_queues": [{"id": 11, "name": "IT/Network", "today": 94}],
    "topics": [{"name": "vpn", "today": 61}],
    "model": {"name": "linear", "version": "3", "digest": "9c1f2ab4", "log_offset": 41},
    "classifier": {"status": "ready", "checks": {"kafka": "ok", "model": "ok"}},
    "forecaster": {"status": "ready", "checks": {"kafka": "ok", "redis": "ok"}},
    "semantic": {"status": "ready", "checks": {"kafka": "ok", "model": "ok"}},
}


class TopicToday(BaseModel):
    """Tickets of a topic created today (UTC)."""

    name: str
    today: int


class QueueToday(TopicToday):
    """Tickets of exactly this queue created today (UTC)."""

    id: int


class Partition(BaseModel):
    """How far the projection has read: `offset` comes next, `source` was the highest seen."""

    model_config = ConfigDict(from_attributes=True)

    topic: str
    partition: int
    offset: int
    source: int | None


class Status(BaseModel):
    """The state of the whole platform as the read side sees it."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    totals: Totals
    tickets: int = Field(description="Tickets listed: counted, and not yet expired.")
    positions: list[Partition]
    top_queues: list[QueueToday]
    topics: list[TopicToday] = Field(description="The busiest today first.")
    model: ModelStamp | None = Field(description="Of the latest label.")
    classifier: ServiceState
    forecaster: ServiceState
    semantic: ServiceState = Field(description="Second looks; everything else goes on without.")


@router.get(
    "/status",
    operation_id="read_status",
    summary="Totals, positions, today's busiest queues and topics, and who is ready",
    responses=responses(503),
)
async def status(gateway: Gateway) -> Status:
    """`totals.gaps` must be 0; `labelled` is `counted` + `updated` + `duplicates`."""
    views, load = gateway.views, gateway.load
    classifier, forecaster, semantic = await asyncio.gather(
        gateway.classifier.read(), gateway.forecaster.read(), gateway.semantic.read()
    )
    [tickets] = await views.sizes([redis_keys.INDEX_ALL])
    queues = list((await load.today(Dimension.QUEUE)).items())[:TOP_QUEUES]
    topics = await load.today(Dimension.TOPIC)
    tree = await load.tree()
    return Status(
        totals=await views.totals(),
        tickets=tickets,
        positions=[Partition.model_validate(position) for position in await views.positions()],
        top_queues=[
            QueueToday(id=tree.id_of(name), name=name, today=today)
            for name, today in queues
            if today
        ],
        topics=[TopicToday(name=name, today=today) for name, today in topics.items()],
        model=await _latest_model(gateway),
        classifier=classifier,
        forecaster=forecaster,
        semantic=semantic,
    )


async def _latest_model(gateway: Ports) -> ModelStamp | None:
    latest = await gateway.views.feed_latest()
    if latest is None:
        return None
    [stored] = await gateway.views.tickets([latest.entry.ticket_id])
    return stored.record.model if stored else None
