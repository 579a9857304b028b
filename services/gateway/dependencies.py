"""What routes are given: the ports, and the query parameters several of them share."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Annotated, cast

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.adapters.brain import Brain
from services.gateway.adapters.datasets import DatasetWindows, directory_of, find_dataset
from services.gateway.adapters.feed import Feed
from services.gateway.adapters.forecasts import Forecasts
from services.gateway.adapters.judge import Judge
from services.gateway.adapters.load_reader import LoadReader
from services.gateway.adapters.probes import Probe
from services.gateway.adapters.views import Views
from services.gateway.settings import GatewaySettings
from shared.clock import monotonic

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that a route may use."""

    settings: GatewaySettings
    views: Views
    load: LoadReader
    feed: Feed
    classifier: Probe
    forecaster: Probe
    semantic: Probe
    forecasts: Forecasts
    brain: Brain
    judge: Judge

    async def load_of(self, dataset_id: str | None) -> LoadReader:
        """Live load, or that of an uploaded dataset. Raises NotFound for an unknown id."""
        if dataset_id is None:
            return self.load
        dataset = await find_dataset(self.views, dataset_id)
        last = datetime.combine(dataset.last or EPOCH, time(), UTC)
        windows = DatasetWindows(self.views, dataset)
        return LoadReader(windows, directory_of(dataset), lambda: last, monotonic)


# Not a plain function: FastAPI would call that in a thread, half a millisecond per request.
async def _ports(request: Request) -> Ports:
    return cast("Ports", request.app.state.ports)


Gateway = Annotated[Ports, Depends(_ports)]


# A label or queue as a filter; empty would mean none, which is leaving it out.
Name = Annotated[str, Field(min_length=1, max_length=200)]
QueueName = Annotated[
    Name,
    Field(
        description="A queue's path or id; everything below it is included. 0 is all queues.",
        examples=["IT/Network"],
    ),
]
DatasetId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=64,
        description="An uploaded dataset, by the id its upload answered; without it live load.",
    ),
]
# What JSON and JavaScript hold exactly; ids of queues are 53-bit.
QueueId = Annotated[
    int, Field(ge=0, lt=2**53, description="An id of GET /api/queues; 0 is all.", examples=[0])
]


class Query(BaseModel):
    """Base of every query string: an unknown parameter is a mistake worth a 422."""

    model_config = ConfigDict(extra="forbid")
