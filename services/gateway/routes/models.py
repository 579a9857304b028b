"""Contract A's models: train, compare, list, clear."""

from typing import Annotated

from fastapi import APIRouter
from fastapi import Query as InQuery
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from services.gateway.dependencies import DatasetId, Gateway, Ports, Query, QueueId
from services.gateway.routes.forecast import Body, HorizonDays, ModelChoice, ModelType
from shared.dates import Day
from shared.forecasting import Comparison, Method, SeriesName, TrainedModel, TrainOrder
from shared.http.problems import responses

router = APIRouter(prefix="/api", tags=["models"])
MODELS = TypeAdapter(list[TrainedModel])


class CompareRequest(Body):
    """The last `forecast_horizon` days, or those after `train_end_date`, are held out."""

    queue_id: QueueId
    forecast_horizon: HorizonDays = 30
    train_start_date: Day | None = None
    train_end_date: Day | None = None
    dataset_id: DatasetId | None = None

    def order(self, method: Method = Method.AUTO) -> TrainOrder:
        """The same as the forecaster's port wants it."""
        return TrainOrder(
            series=SeriesName(queue=str(self.queue_id), dataset_id=self.dataset_id),
            horizon=self.forecast_horizon,
            method=method,
            train_start=self.train_start_date,
            train_end=self.train_end_date,
        )


class TrainRequest(CompareRequest):
    """The same, and which model to judge and keep."""

    model_config = ConfigDict(protected_namespaces=())

    model_type: ModelChoice = ModelType.AUTO


class Errors(BaseModel):
    """On held-out days that the forecast did not see."""

    rmse: float
    mae: float
    mape: float | None = Field(description="A share, .1 is 10 %; null where no day had tickets.")


class Trained(Errors):
    """The model kept for the queue: what `auto` means there from now on."""

    model_config = ConfigDict(protected_namespaces=())

    model_type: str


class Cleared(BaseModel):
    """What became of the models."""

    status: str = Field(examples=["success"])
    message: str = Field(examples=["2 models were removed"])


class ModelsQuery(Query):
    """Of live load, or of an uploaded dataset."""

    dataset_id: DatasetId | None = None


@router.get(
    "/get_models",
    operation_id="list_forecast_models",
    summary="Ids of the trained models, the oldest first",
    responses=responses(422, 503),
)
async def get_models(query: Annotated[ModelsQuery, InQuery()], gateway: Gateway) -> list[str]:
    """An id is `<queue id>:<model>`."""
    params = {"dataset_id": query.dataset_id}
    models = MODELS.validate_json(await gateway.forecasts.ask("GET", "/models", params=params))
    return [model.id for model in models]


@router.post(
    "/train_model",
    operation_id="train_forecast_model",
    summary="Judge a model on held-out days and keep it for the queue",
    responses=responses(400, 404, 422, 503),
)
async def train_model(request: TrainRequest, gateway: Gateway) -> Trained:
    """`auto` is the model that wins a backtest on the days before the held-out ones."""
    content = request.order(request.model_type.method).model_dump_json().encode()
    raw = await gateway.forecasts.ask("POST", "/models", content=content)
    model = TrainedModel.model_validate_json(raw)
    return Trained(model_type=model.method, rmse=model.rmse, mae=model.mae, mape=model.mape)


@router.post(
    "/compare_models",
    operation_id="compare_forecast_models",
    summary="Judge every model on the same held-out days",
    responses=responses(400, 404, 422, 503),
)
async def compare_models(request: CompareRequest, gateway: Gateway) -> dict[str, Errors]:
    """By model; nothing is kept."""
    content = request.order().model_dump_json().encode()
    raw = await gateway.forecasts.ask("POST", "/models/comparison", content=content)
    judged = Comparison.model_validate_json(raw).methods
    return {
        name: Errors(rmse=each.rmse, mae=each.mae, mape=each.mape) for name, each in judged.items()
    }


@router.delete(
    "/clear_models/{queue_id}",
    operation_id="clear_queue_models",
    summary="Forget the trained models of a queue",
    responses=responses(404, 422, 503),
)
async def clear_models(
    queue_id: QueueId, query: Annotated[ModelsQuery, InQuery()], gateway: Gateway
) -> Cleared:
    """Its forecasts are made by the default model again."""
    return await _clear(gateway, str(queue_id), query.dataset_id)


@router.delete(
    "/clear_all_models",
    operation_id="clear_all_models",
    summary="Forget all trained models",
    responses=responses(422, 503),
)
async def clear_all_models(query: Annotated[ModelsQuery, InQuery()], gateway: Gateway) -> Cleared:
    """Of live load, or of one dataset."""
    return await _clear(gateway, None, query.dataset_id)


async def _clear(gateway: Ports, queue: str | None, dataset_id: str | None) -> Cleared:
    params = {"queue": queue, "dataset_id": dataset_id}
    removed = int(await gateway.forecasts.ask("DELETE", "/models", params=params))
    return Cleared(status="success", message=f"{removed} models were removed")
