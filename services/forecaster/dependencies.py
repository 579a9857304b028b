"""What the routes of the internal port are given."""

from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from services.forecaster.adapters.datasets import Datasets
from services.forecaster.forecasting import Forecasting
from services.forecaster.judging import Judging
from services.forecaster.publishing import Publishing
from services.forecaster.staffing import StaffPlanning


@dataclass(frozen=True, slots=True)
class Services:
    """The application services behind the internal port."""

    forecasting: Forecasting
    judging: Judging
    datasets: Datasets
    publishing: Publishing
    staffing: StaffPlanning
    max_upload_bytes: int


# Not a plain function: FastAPI would call that in a thread, half a millisecond per request.
async def _services(request: Request) -> Services:
    return cast("Services", request.app.state.services)


Forecaster = Annotated[Services, Depends(_services)]
