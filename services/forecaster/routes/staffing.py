"""How many people are needed."""

from fastapi import APIRouter

from services.forecaster.dependencies import Forecaster
from shared.forecasting import StaffingOrder, StaffingPlan
from shared.http.problems import responses

router = APIRouter(tags=["staffing"])


@router.post(
    "/staffing",
    operation_id="plan_staffing",
    summary="Positions per hour of the next days",
    responses=responses(400, 404, 422, 503),
)
async def plan_staffing(order: StaffingOrder, forecaster: Forecaster) -> StaffingPlan:
    """Erlang C or A for calls, a draining backlog for mail."""
    return await forecaster.staffing.plan(order)
