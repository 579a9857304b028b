"""Uploads over HTTP: each is its uploader's, taken whole, and all of contract A works on it."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from tests.contracts.gateway.helpdesk import running

BEGIN = date(2021, 1, 4)
TREE = "queueId,level,immediateDescendants,allDescendants\n1,1,[2 3],[2 3]\n2,2,[],[]\n3,2,[],[]\n"


def tickets(days: int = 200, queues: tuple[int, ...] = (2, 3)) -> str:
    """Two tickets more on Mondays; queue 3 has three times as many."""
    rows = [
        f"{queue};{BEGIN + timedelta(days=day):%d.%m.%Y};{(5 if day % 7 else 7) * (2 * queue - 3)}"
        for queue in queues
        for day in range(days)
    ]
    return "\n".join(["queueId;date;new_tickets", *rows, ""])


@pytest.fixture
async def http(filled: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running(filled, max_upload_bytes=100_000) as client:
        yield client


async def upload(
    http: httpx.AsyncClient, text: str | bytes, df_type: str = "tickets", **form: str
) -> httpx.Response:
    files = {"file": ("data.csv", text, "text/csv")}
    return await http.post("/api/upload_data", files=files, data={"df_type": df_type} | form)


async def uploaded(http: httpx.AsyncClient, text: str, tree: str | None = None) -> str:
    answer = await upload(http, text)
    assert answer.status_code == 200, answer.text
    dataset: str = answer.json()["dataset_id"]
    if tree is not None:
        assert (await upload(http, tree, "hierarchy", dataset_id=dataset)).status_code == 200
    return dataset


async def get(http: httpx.AsyncClient, path: str, **params: Any) -> Any:
    answer = await http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_upload_answers_its_id(http: httpx.AsyncClient) -> None:
    body = (await upload(http, tickets())).json()
    assert body["message"] == "Data updated successfully"
    assert body["status"] == "success"
    assert body["queues"] == 2
    assert len(body["dataset_id"]) == 36


async def test_nobody_elses_data_changes(http: httpx.AsyncClient) -> None:
    live = await get(http, "/api/historical", queue_id=0)
    theirs = await uploaded(http, tickets())
    before = await get(http, "/api/historical", queue_id=0, dataset_id=theirs)
    ours = await uploaded(http, "queueId;date;new_tickets\n2;05.01.2021;1\n")
    assert await get(http, "/api/historical", queue_id=0) == live
    assert await get(http, "/api/historical", queue_id=0, dataset_id=theirs) == before
    one = await get(http, "/api/historical", queue_id=2, dataset_id=ours)
    assert (one["timestamps"], one["values"]) == (["2021-01-05"], [1])


async def test_the_queue_half_answers_on_uploaded_data(http: httpx.AsyncClient) -> None:
    mine = await uploaded(http, tickets(), TREE)
    status = await get(http, "/api/data-status", dataset_id=mine)
    assert status == {"status": True, "message": "tickets from 2021-01-04 to 2021-07-22"}
    queues = await get(http, "/api/queues", dataset_id=mine)
    assert {
        level: [q["id"] for q in found] for level, found in queues["queues_by_level"].items()
    } == {
        "1": [1],
        "2": [3, 2],
    }
    assert queues["total_load"] == queues["queues_by_level"]["1"][0]["load"]
    weeks = await get(http, "/api/historical", queue_id=2, granularity="weekly", dataset_id=mine)
    assert weeks["values"][0] == 37
    span = {"start_date": "2021-02-01", "end_date": "2021-02-28", "dataset_id": mine}
    assert (await get(http, "/api/daily_average", queue_id=3, **span))["average_load"] == [
        21, 15, 15, 15, 15, 15, 15,
    ]  # fmt: skip
    averages = await get(http, "/api/weekly_average/2", **span)
    assert averages["average_load"] == [37.0] * 4
    stats = await get(http, "/api/queue_stats", queue_id=2, **span)
    assert stats["structure"]["parent_id"] == 1
    assert stats["load"]["total_tickets"] == 4 * 37
    sample = await get(http, "/api/sample_data", df_type="tickets", rows=1, dataset_id=mine)
    assert sample["data"] == [{"queueId": 2, "date": "22.07.2021", "new_tickets": 5}]
    sample = await get(http, "/api/sample_data", df_type="hierarchy", dataset_id=mine)
    assert sample["data"][0]["allDescendants"] == [2, 3]


async def test_forecasts_of_uploaded_data(http: httpx.AsyncClient) -> None:
    mine = await uploaded(http, tickets(), TREE)
    bodies = [
        (
            await http.post(
                "/api/forecast",
                json={"queue_id": queue, "forecast_horizon": 7, "dataset_id": mine},
            )
        ).json()
        for queue in (1, 2, 3)
    ]
    assert bodies[0]["timestamps"][0] == "2021-07-23"
    whole, *parts = [body["values"] for body in bodies]
    assert whole == pytest.approx([sum(pair) for pair in zip(*parts, strict=True)], abs=0.01)
    monday = bodies[1]["timestamps"].index("2021-07-26")
    assert parts[0][monday] == max(parts[0])
    again = await upload(http, tickets(days=100), dataset_id=mine)
    assert again.json()["dataset_id"] == mine
    body = (await http.post("/api/forecast", json={"queue_id": 2, "dataset_id": mine})).json()
    assert body["timestamps"][0] == "2021-04-14"


async def test_models_of_uploaded_data_are_apart(http: httpx.AsyncClient) -> None:
    mine = await uploaded(http, tickets())
    wanted = {"queue_id": 2, "model_type": "naive", "dataset_id": mine}
    trained = (await http.post("/api/train_model", json=wanted)).json()
    assert (trained["rmse"], trained["mape"]) == (0.0, 0.0), "every week is like the last"
    assert await get(http, "/api/get_models", dataset_id=mine) == ["2:seasonal-naive"]
    assert await get(http, "/api/get_models") == []
    await http.delete("/api/clear_all_models")
    assert await get(http, "/api/get_models", dataset_id=mine) == ["2:seasonal-naive"]
    await http.delete("/api/clear_models/2", params={"dataset_id": mine})
    assert await get(http, "/api/get_models", dataset_id=mine) == []


@pytest.mark.parametrize(
    ("text", "df_type", "says"),
    [
        ("queueId;date;new_tickets\n1;01.01.2021;3\n1;31.02.2021;3\n", "tickets", "line 3"),
        ("queueId;date;new_tickets\n1;01.01.2021;-3\n", "tickets", "line 2"),
        ("queueId;date;new_tickets\n1;01.01.2021;99999999999\n", "tickets", "line 2"),
        ("queueId;date\n1;01.01.2021\n", "tickets", "new_tickets"),
        ("queueId;date;new_tickets\n", "tickets", "no rows"),
        ("", "tickets", "line 1"),
        (TREE + "3,2,[],[]\n", "hierarchy", "appears twice"),
        (b"queueId;date;new_tickets\n\xff\xfe;;\n", "tickets", "UTF-8"),
    ],
)
async def test_a_bad_file_is_refused_by_line_and_leaves_nothing(
    http: httpx.AsyncClient, text: str, df_type: str, says: str
) -> None:
    mine = await uploaded(http, tickets(days=30), TREE)
    before = await get(http, "/api/historical", queue_id=0, dataset_id=mine)
    answer = await upload(http, text, df_type, dataset_id=mine)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text
    assert await get(http, "/api/historical", queue_id=0, dataset_id=mine) == before


async def test_a_file_too_large_is_refused(http: httpx.AsyncClient) -> None:
    answer = await upload(http, tickets(days=4000))
    assert answer.status_code == 413
    assert "100000 bytes" in answer.json()["detail"]


async def test_both_layouts_in_one_form_and_nothing_else(http: httpx.AsyncClient) -> None:
    assert (await upload(http, TREE, "hierarchy")).status_code == 200
    assert (await upload(http, TREE, "queues")).status_code == 422
    assert (await upload(http, TREE, "hierarchy", dataset_id="nobody's")).status_code == 404
    answer = await http.post("/api/upload_data", data={"df_type": "tickets"})
    assert answer.status_code == 422
    assert "/file" in answer.text


async def test_a_form_that_is_none_is_refused(http: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await http.post("/api/upload_data", content=b"--y\r\nno form", headers=headers)
    assert answer.status_code == 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_dataset_is_kept_by_day_and_by_queue(http: httpx.AsyncClient) -> None:
    mine = await uploaded(http, tickets())
    query = f"queue_id=2&granularity=hourly&dataset_id={mine}"
    answer = await http.get(f"/api/historical?{query}")
    assert (answer.status_code, "kept by day" in answer.text) == (400, True)
    body = {"queue_id": 2, "granularity": "hourly", "dataset_id": mine}
    answer = await http.post("/api/forecast", json=body)
    assert (answer.status_code, "kept by day" in answer.text) == (400, True)
    answer = await http.post("/api/forecast", json={"queue_id": 9, "dataset_id": mine})
    assert answer.status_code == 404


async def test_an_unfilled_tree_has_no_forecast_yet(http: httpx.AsyncClient) -> None:
    mine = (await upload(http, TREE, "hierarchy")).json()["dataset_id"]
    answer = await http.post("/api/forecast", json={"queue_id": 1, "dataset_id": mine})
    assert (answer.status_code, "no tickets yet" in answer.text) == (400, True)
    status = await get(http, "/api/data-status", dataset_id=mine)
    assert status["status"] is False


async def test_a_queue_of_one_ticket_and_one_of_none(http: httpx.AsyncClient) -> None:
    mine = await uploaded(http, "queueId;date;new_tickets\n2;05.01.2021;1\n", TREE)
    for queue, most in ((2, 1.5), (3, 0.0)):
        body = {"queue_id": queue, "dataset_id": mine, "include_confidence_intervals": True}
        answer = await http.post("/api/forecast", json=body)
        assert answer.status_code == 200, answer.text
        values = answer.json()["values"]
        assert len(values) == 30
        assert 0 <= min(values) <= max(values) <= most


async def test_a_leap_day_is_a_day(http: httpx.AsyncClient) -> None:
    mine = await uploaded(
        http, "queueId;date;new_tickets\n2;28.02.2024;1\n2;29.02.2024;2\n2;01.03.2024;3\n"
    )
    body = await get(http, "/api/historical", queue_id=2, dataset_id=mine)
    assert body["timestamps"] == ["2024-02-28", "2024-02-29", "2024-03-01"]
    assert body["values"] == [1, 2, 3]


@pytest.mark.parametrize(
    "path",
    ["data-status", "queues", "historical?queue_id=0", "sample_data?df_type=tickets"],
)
async def test_an_unknown_dataset_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    mark = "&" if "?" in path else "?"
    answer = await http.get(f"/api/{path}{mark}dataset_id=nobody's")
    assert answer.status_code == 404
