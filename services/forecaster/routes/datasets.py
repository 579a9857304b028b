"""Uploaded CSV files: read as a stream, taken whole or not at all."""

import io
import logging
import tempfile
from collections.abc import Callable, Iterable
from functools import partial
from typing import IO, Annotated, TypeVar

from fastapi import APIRouter, Query, Request

from services.forecaster.dependencies import Forecaster
from services.forecaster.domain.uploads.files import UploadError, read_hierarchy, read_tickets
from shared.errors import FieldError, InvalidEvent, TooLarge
from shared.forecasting import Uploaded, UploadKind
from shared.http.problems import responses

log = logging.getLogger(__name__)
router = APIRouter(prefix="/datasets", tags=["datasets"])
Rows = TypeVar("Rows")
# Beyond this a body waits on disk until it is read.
IN_MEMORY = 1 << 20


@router.post(
    "",
    operation_id="upload_dataset",
    summary="Fill a dataset from a CSV file, a new one unless its id is given",
    responses=responses(404, 413, 422, 503),
    openapi_extra={
        "requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}
    },
)
async def upload_dataset(
    request: Request,
    forecaster: Forecaster,
    kind: UploadKind,
    dataset_id: Annotated[str | None, Query(min_length=1, max_length=64)] = None,
) -> Uploaded:
    """422 names the first bad lines; nothing of such a file is kept."""
    dataset = await forecaster.datasets.begin(dataset_id)
    run = forecaster.forecasting.off_loop
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as file:
        await _receive(request, file, forecaster.max_upload_bytes)
        if kind == "tickets":
            rows = await run(partial(_read, file, partial(read_tickets, progress=_progress)))
            dataset = await forecaster.datasets.put_tickets(dataset, rows)
            return Uploaded(dataset_id=dataset.id, queues=len(rows))
        tree = await run(partial(_read, file, partial(read_hierarchy, progress=_progress)))
    dataset = await forecaster.datasets.put_tree(dataset, tree.parents)
    return Uploaded(dataset_id=dataset.id, queues=len(tree.parents))


async def _receive(request: Request, file: IO[bytes], most: int) -> None:
    received = 0
    async for part in request.stream():
        received += len(part)
        if received > most:
            raise TooLarge(f"a file may have at most {most} bytes; split it by dates")
        file.write(part)
    file.seek(0)


def _read(file: IO[bytes], parse: Callable[[Iterable[str]], Rows]) -> Rows:
    try:
        with io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as lines:
            return parse(lines)
    except UnicodeDecodeError as error:
        raise InvalidEvent(f"the file is not UTF-8 text: {error.reason}") from error
    except UploadError as error:
        faults = [FieldError(f"/file/{row.line}", row.reason) for row in error.rows]
        raise InvalidEvent(f"nothing was loaded: {error}", faults) from error


def _progress(lines: int) -> None:
    log.info("upload: %s lines read", lines)
