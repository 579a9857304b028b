"""GET /api/v1/quality: how good the labels are, and from which probability on they are applied."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from services.gateway.dependencies import Gateway, Name, Query
from shared.errors import BadRequest
from shared.http.problems import responses
from shared.quality import QualityReport

router = APIRouter(prefix="/api/v1/quality", tags=["quality"])


def _iso(value: object) -> object:
    # Pydantic takes a bare number for a Unix time; one that lost its unit has no place here.
    if isinstance(value, str) and value[4:5] != "-":
        raise PydanticCustomError(
            "datetime_iso", "Input should be an ISO 8601 date and time with a UTC offset"
        )
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_iso)]


class QualityQuery(Query):
    """Which topic, and the period of the series."""

    topic: Name | None = Field(
        default=None, description="Only this topic, with its F1 over time.", examples=["vpn"]
    )
    start: Instant | None = Field(default=None, examples=["2026-03-01T00:00:00Z"])
    end: Instant | None = Field(default=None, description="Not included.")


@router.get(
    "",
    operation_id="get_quality",
    summary="Prequential accuracy and macro-F1 over time, and the error budget of each topic",
    responses=responses(400, 404, 422, 503),
)
async def get_quality(query: Annotated[QualityQuery, InQuery()], gateway: Gateway) -> QualityReport:
    """Every ticket in the correction log was answered before its correction was learned.

    Whoever only corrects wrong labels makes the figures look worse than they are, and the
    thresholds stricter: set right ones as well, in the order of `/api/v1/review`.
    """
    if query.start and query.end and query.end <= query.start:
        raise BadRequest(f"start {query.start} does not lie before end {query.end}")
    wanted = query.model_dump(mode="json", exclude_none=True)
    return await gateway.judge.quality(wanted)
