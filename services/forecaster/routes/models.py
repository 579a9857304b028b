"""Trained choices of method: list, clear."""

from typing import Annotated

from fastapi import APIRouter, Query

from services.forecaster.dependencies import Forecaster
from shared.forecasting import SeriesName, TrainedModel
from shared.http.problems import responses

router = APIRouter(prefix="/models", tags=["models"])
DatasetId = Annotated[str | None, Query(min_length=1, max_length=64)]


@router.get("", responses=responses(422, 503))
async def list_models(forecaster: Forecaster, dataset_id: DatasetId = None) -> list[TrainedModel]:
    """Models of live load, or of one dataset, the oldest first."""
    return await forecaster.forecasting.shelf.all(dataset_id)


@router.delete("", responses=responses(404, 422, 503))
async def clear_models(
    forecaster: Forecaster,
    queue: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    dataset_id: DatasetId = None,
) -> int:
    """Forget the models of a queue, or all; answers how many there were."""
    queue_id = None
    if queue is not None:
        series = SeriesName(queue=queue, dataset_id=dataset_id)
        queue_id = (await forecaster.forecasting.subject(series)).target.queue_id
    return await forecaster.forecasting.shelf.clear(dataset_id, queue_id)
