"""Status, readiness, health, the first page."""

import re

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.adapters.probes import ServiceState
from services.gateway.adapters.views import PartitionPosition
from services.gateway.routes.status import EXAMPLE, Status
from shared.queues import QueueDirectory
from shared.read_model import Totals
from tests.unit.gateway.builders import FakeProbe, an_entry, client, small_helpdesk

LOADING = ServiceState(status="not ready", checks={"kafka": "ok", "model": "loading"})
ABSENT = ServiceState(status="unreachable", checks={"classifier": "nobody there"})


async def test_status_has_what_a_live_table_shows() -> None:
    views = small_helpdesk()
    views.set_totals(Totals(labelled=4, counted=4))
    views.set_position(PartitionPosition("tickets.labelled.v1", 0, 4, 3))
    await views.feed(an_entry(2))
    directory = QueueDirectory(ids={"HR": 20, "IT/Network": 11, "IT/Network/VPN": 12})
    async with client(views, directory=directory, classifier=FakeProbe(LOADING)) as http:
        body = (await http.get("/api/v1/status")).json()
    assert body["totals"]["counted"] == 4
    assert body["tickets"] == 4
    assert body["positions"] == [
        {"topic": "tickets.labelled.v1", "partition": 0, "offset": 4, "source": 3}
    ]
    assert body["top_queues"][0] == {"id": 20, "name": "HR", "today": 7}
    assert body["topics"] == [{"name": "pay", "today": 7}, {"name": "vpn", "today": 3}]
    assert body["model"]["version"] == "3"
    assert body["classifier"] == {"status": "not ready", "checks": LOADING.checks}
    assert body["forecaster"]["status"] == "ready"


async def test_status_of_an_empty_platform() -> None:
    async with client(MemoryViews(), classifier=FakeProbe(ABSENT)) as http:
        body = (await http.get("/api/v1/status")).json()
    assert (body["tickets"], body["top_queues"], body["model"]) == (0, [], None)
    assert body["classifier"]["status"] == "unreachable"


def test_the_documented_example_is_a_status() -> None:
    assert Status.model_validate(EXAMPLE).tickets == 1830


async def test_ready_when_everything_answers() -> None:
    async with client(small_helpdesk()) as http:
        answer = await http.get("/ready")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ready",
        "checks": dict.fromkeys(
            ("redis", "feed", "kafka", "model", "classifier", "forecaster", "semantic"), "ok"
        ),
    }


async def test_without_second_looks_it_is_ready_and_says_so() -> None:
    away = ServiceState(status="unreachable", checks={"semantic": "nobody there"})
    async with client(small_helpdesk(), semantic=FakeProbe(away)) as http:
        answer = await http.get("/ready")
        body = (await http.get("/api/v1/status")).json()
    assert answer.status_code == 200
    assert answer.json()["checks"]["semantic"] == "degraded: nobody there"
    assert body["semantic"] == {"status": "unreachable", "checks": away.checks}


@pytest.mark.parametrize(
    ("classifier", "broken", "told"),
    [
        (LOADING, None, {"model": "loading", "kafka": "ok", "classifier": "model: loading"}),
        (ABSENT, None, {"model": "unknown: nobody there", "classifier": "nobody there"}),
        (LOADING, "Redis does not answer", {"redis": "Redis does not answer"}),
    ],
)
async def test_not_ready_says_why(
    classifier: ServiceState, broken: str | None, told: dict[str, str]
) -> None:
    views = small_helpdesk()
    views.broken = broken
    async with client(views, classifier=FakeProbe(classifier)) as http:
        answer = await http.get("/ready")
        health = await http.get("/health")
    assert answer.status_code == 503
    assert answer.json()["checks"].items() >= told.items()
    assert health.json() == {"status": "healthy"}


async def test_the_first_page_links_only_to_what_answers() -> None:
    async with client(small_helpdesk()) as http:
        page = await http.get("/")
        assert page.headers["content-type"].startswith("text/html")
        local = re.findall(r'href="(/[^"]*)"', page.text)
        assert {"/docs", "/api/v1/tickets?limit=20", "/api/queues", "/metrics"} <= set(local)
        for link in set(local) - {"/api/v1/stream"}:
            answer = await http.get(link.replace("&amp;", "&"))
            assert answer.status_code == 200, link
    assert 'href="http://127.0.0.1:8001/docs"' in page.text
    assert not re.search(r"<script|<link|@import|url\(", page.text)
