"""Contract A's data: upload a CSV, look at some rows, read anew."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi import Query as InQuery
from pydantic import BaseModel, Field

from services.gateway.adapters.load_reader import LoadReader
from services.gateway.dependencies import DatasetId, Gateway, Query
from services.gateway.domain.load import Span
from services.gateway.domain.samples import (
    HIERARCHY_COLUMNS,
    TICKET_COLUMNS,
    Row,
    hierarchy_rows,
    ticket_rows,
)
from shared.forecasting import Uploaded, UploadKind
from shared.http.problems import responses
from shared.windows import Grain

router = APIRouter(prefix="/api", tags=["data"])
PART_BYTES = 1 << 18
SAMPLE_DAYS = 30


class UploadAnswer(BaseModel):
    """`dataset_id` is how the upload is asked for from now on; nobody else is told."""

    status: str = Field(examples=["success"])
    message: str = Field(examples=["Data updated successfully"])
    dataset_id: str
    queues: int = Field(description="Queues in the file.")


class SampleQuery(Query):
    """Which table, of live data or of an uploaded dataset, and how many rows."""

    df_type: UploadKind
    rows: int = Field(default=10, ge=1, le=1000)
    dataset_id: DatasetId | None = None


class Sample(BaseModel):
    """Rows of a table in the columns an upload has; `shape` is rows and columns answered."""

    columns: list[str]
    data: list[Row]
    shape: list[int] = Field(examples=[[10, 3]], min_length=2, max_length=2)
    df_type: UploadKind


class Reloaded(BaseModel):
    """Contract A's words for it."""

    status: str = Field(examples=["data reloaded"])
    message: str = Field(examples=["success"])


@router.post(
    "/upload_data",
    operation_id="upload_data",
    summary="Upload a CSV of tickets per day, or the tree of its queues",
    responses=responses(400, 404, 413, 422, 503),
)
async def upload_data(
    gateway: Gateway,
    file: Annotated[
        UploadFile,
        File(
            description="`queueId;date;new_tickets` with dates dd.mm.yyyy, or "
            "`queueId,level,immediateDescendants,allDescendants`; UTF-8, `;` or `,`."
        ),
    ],
    df_type: Annotated[UploadKind, Form()],
    dataset_id: Annotated[DatasetId | None, Form()] = None,
) -> UploadAnswer:
    """Makes a dataset, or fills one given by its id; live data and other uploads stay as they are.

    Nothing is kept of a file with a bad line: 422 names the first ones.
    """
    raw = await gateway.forecasts.ask(
        "POST",
        "/datasets",
        params={"kind": df_type, "dataset_id": dataset_id},
        content=_parts(file),
    )
    made = Uploaded.model_validate_json(raw)
    return UploadAnswer(
        status="success",
        message="Data updated successfully",
        dataset_id=made.dataset_id,
        queues=made.queues,
    )


async def _parts(file: UploadFile) -> AsyncIterator[bytes]:
    while part := await file.read(PART_BYTES):
        yield part


@router.get(
    "/sample_data",
    operation_id="read_sample_data",
    summary="Some rows of the tickets per day, or of the tree of queues",
    responses=responses(404, 422, 503),
)
async def sample_data(query: Annotated[SampleQuery, InQuery()], gateway: Gateway) -> Sample:
    """The newest days with tickets; the tree from the root down."""
    load = await gateway.load_of(query.dataset_id)
    if query.df_type == "hierarchy":
        columns, rows = HIERARCHY_COLUMNS, hierarchy_rows(await load.tree(), query.rows)
    else:
        columns, rows = TICKET_COLUMNS, await _newest(load, query.rows)
    shape = [len(rows), len(columns)]
    return Sample(columns=list(columns), data=rows, shape=shape, df_type=query.df_type)


async def _newest(load: LoadReader, most: int) -> list[Row]:
    extent, tree = await load.extent(), await load.tree()
    if extent is None:
        return []
    first = max(extent.first, extent.last - timedelta(days=SAMPLE_DAYS - 1))
    daily = await load.by_queue(Grain.DAY, Span(first, extent.last))
    return ticket_rows({tree.id_of(path): days for path, days in daily.items()}, first, most)


@router.post(
    "/reload_local_data",
    operation_id="reload_local_data",
    summary="Read live data anew",
    responses=responses(503),
)
async def reload_local_data(gateway: Gateway) -> Reloaded:
    """Live data is never more than a second old; this forgets even that second."""
    gateway.load.forget()
    await gateway.load.extent()
    return Reloaded(status="data reloaded", message="success")
