"""GET /api/queues: contract A's tree of queues with their load."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import BaseModel, ConfigDict, Field

from services.gateway.dependencies import DatasetId, Gateway, Query
from services.gateway.domain.queues import DEEPEST_LEVEL, TOP_PER_LEVEL
from shared.http.problems import responses
from shared.windows import Dimension

router = APIRouter(prefix="/api", tags=["load"])


class QueuesQuery(Query):
    """Of live load, or of an uploaded dataset."""

    dataset_id: DatasetId | None = None


class QueueEntry(BaseModel):
    """A queue. `name` is its path, `load` counts the tickets of everything below it as well."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    load: int
    level: int


class Queues(BaseModel):
    """`total_load` counts every ticket once, however deep its queue lies."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "queues_by_level": {
                        "1": [{"id": 10, "name": "IT", "load": 1830, "level": 1}],
                        "2": [{"id": 11, "name": "IT/Network", "load": 940, "level": 2}],
                    },
                    "total_load": 1830,
                }
            ]
        }
    )

    queues_by_level: dict[str, list[QueueEntry]] = Field(
        description=f"The {TOP_PER_LEVEL} busiest of each level, 1 to {DEEPEST_LEVEL}."
    )
    total_load: int


@router.get(
    "/queues",
    operation_id="list_queues",
    summary="The busiest queues of every level of the tree",
    responses=responses(404, 422, 503),
)
async def list_queues(query: Annotated[QueuesQuery, InQuery()], gateway: Gateway) -> Queues:
    """Loads are sums over all data."""
    load = await gateway.load_of(query.dataset_id)
    own = await load.totals(Dimension.QUEUE)
    tree = await load.tree()
    levels = {
        str(level): [QueueEntry.model_validate(queue) for queue in queues]
        for level, queues in tree.loads(own).items()
    }
    return Queues(queues_by_level=levels, total_load=sum(own.values()))
