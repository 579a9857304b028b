"""Contract A's models over HTTP: judged on days held out, kept for a queue, cleared."""

from typing import Any

import httpx
import pytest

from tests.contracts.gateway.helpdesk import forecast


async def test_every_model_is_judged_on_days_it_did_not_see(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/compare_models", json={"queue_id": 3, "forecast_horizon": 28})
    assert answer.status_code == 200, answer.text
    judged = answer.json()
    assert judged.keys() == {"pool", "intermittent", "weekly-mean", "seasonal-naive"}
    for errors in judged.values():
        assert errors["rmse"] >= errors["mae"] > 0
        assert errors["mape"] > 0
    assert judged["pool"]["rmse"] < judged["seasonal-naive"]["rmse"]


async def test_training_without_an_end_date_has_numbers(http: httpx.AsyncClient) -> None:
    wanted = {"queue_id": 3, "model_type": "naive", "forecast_horizon": 28}
    trained = (await http.post("/api/train_model", json=wanted)).json()
    compared = (
        await http.post("/api/compare_models", json={"queue_id": 3, "forecast_horizon": 28})
    ).json()
    assert trained == {"model_type": "seasonal-naive", **compared["seasonal-naive"]}


async def test_a_trained_model_serves_until_it_is_cleared(http: httpx.AsyncClient) -> None:
    await http.delete("/api/clear_all_models")
    default = (await forecast(http, queue_id=4))["model"]
    wanted = {"queue_id": 4, "model_type": "weekly-mean", "train_end_date": "2020-08-31"}
    assert (await http.post("/api/train_model", json=wanted)).json()["model_type"] == "weekly-mean"
    assert (await http.get("/api/get_models")).json() == ["4:weekly-mean"]
    assert (await forecast(http, queue_id=4))["model"] == "weekly-mean" != default
    cleared = await http.delete("/api/clear_models/4")
    assert cleared.json() == {"status": "success", "message": "1 models were removed"}
    assert (await http.get("/api/get_models")).json() == []
    assert (await forecast(http, queue_id=4))["model"] == default


async def test_auto_is_settled_by_a_backtest(http: httpx.AsyncClient) -> None:
    trained = (await http.post("/api/train_model", json={"queue_id": 5})).json()
    assert trained["model_type"] in {"pool", "intermittent", "weekly-mean", "seasonal-naive"}
    cleared = await http.delete("/api/clear_all_models")
    assert cleared.json()["message"] == "1 models were removed"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"train_end_date": "2020-09-30"}, "no days after 2020-09-30"),
        ({"train_end_date": "2019-01-05"}, "too few"),
        ({"train_start_date": "2020-09-25"}, "too few"),
    ],
)
async def test_too_little_to_judge_by(
    http: httpx.AsyncClient, body: dict[str, Any], says: str
) -> None:
    answer = await http.post("/api/train_model", json={"queue_id": 3} | body)
    assert answer.status_code == 400
    assert says in answer.text
