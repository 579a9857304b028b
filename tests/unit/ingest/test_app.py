"""The HTTP face: answers, problems, limits, OpenAPI."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import orjson
import pytest
from prometheus_client import REGISTRY

from services.ingest.adapters.publisher import InMemoryPublisher
from services.ingest.adapters.ticket_texts import InMemoryTicketTexts, Text
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared.topics import CORRECTED, RECEIVED, partition_of

EVENT: dict[str, object] = {"ticket_id": "t1", "created_at": "2026-03-01T10:00:00Z"}
PROBLEM = "application/problem+json"


@pytest.fixture
def log() -> InMemoryPublisher:
    return InMemoryPublisher(partitions=4)


@pytest.fixture
def texts() -> InMemoryTicketTexts:
    return InMemoryTicketTexts({"t1": Text("VPN", "the tunnel drops")})


@pytest.fixture
async def client(
    log: InMemoryPublisher, texts: InMemoryTicketTexts
) -> AsyncIterator[httpx.AsyncClient]:
    settings = IngestSettings(max_body_bytes=10_000, max_events=5, refit_pause=0.01)
    app = create_app(settings, log, texts, lambda: datetime(2026, 3, 5, tzinfo=UTC), b"k" * 32)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://ingest") as session:
        yield session


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


@pytest.mark.parametrize("body", [EVENT, [EVENT, EVENT | {"ticket_id": "t2"}]])
async def test_accepts(client: httpx.AsyncClient, log: InMemoryPublisher, body: object) -> None:
    before = counted("deskstream_ingest_accepted_total", kind="ticket")
    answer = await client.post("/v1/events", json=body)
    count = len(body) if isinstance(body, list) else 1
    assert (answer.status_code, answer.json()) == (202, {"accepted": count})
    kept = log.topics[RECEIVED.name]
    assert [record.partition for record in kept] == [partition_of(r.key, 4) for r in kept]
    assert counted("deskstream_ingest_accepted_total", kind="ticket") == before + count


async def test_accepts_lines(client: httpx.AsyncClient, log: InMemoryPublisher) -> None:
    raw = b"\n".join([orjson.dumps(EVENT)] * 3)
    headers = {"content-type": "application/x-ndjson"}
    answer = await client.post("/v1/events", content=raw, headers=headers)
    assert answer.json() == {"accepted": 3}
    assert len(log.topics[RECEIVED.name]) == 3


async def test_corrections_go_to_their_one_partition(
    client: httpx.AsyncClient, log: InMemoryPublisher
) -> None:
    posts = [{"ticket_id": f"t{n}", "actor": "a", "topic": "vpn"} for n in range(5)]
    assert (await client.post("/v1/corrections", json=posts)).status_code == 202
    assert [record.partition for record in log.topics[CORRECTED.name]] == [0] * 5


async def test_a_bad_element_keeps_the_whole_batch_out(
    client: httpx.AsyncClient, log: InMemoryPublisher
) -> None:
    before = counted("deskstream_ingest_rejected_total", reason="invalid-event")
    answer = await client.post("/v1/events", json=[EVENT, EVENT | {"created_at": "yesterday"}])
    assert answer.status_code == 422
    assert answer.headers["content-type"] == PROBLEM
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/1/created_at"]
    assert not log.topics
    assert counted("deskstream_ingest_rejected_total", reason="invalid-event") == before + 1


@pytest.mark.parametrize("chunked", [False, True])
async def test_a_large_body_is_a_problem(client: httpx.AsyncClient, chunked: bool) -> None:
    raw = orjson.dumps(EVENT | {"body": "b" * 20_000})

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(raw), 1_000):
            yield raw[start : start + 1_000]

    headers = {"content-type": "application/json"}
    content = chunks() if chunked else raw
    answer = await client.post("/v1/events", content=content, headers=headers)
    assert answer.status_code == 413
    assert answer.headers["content-type"] == PROBLEM


async def test_a_small_chunked_body_is_fine(client: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield orjson.dumps(EVENT)[:10]
        yield orjson.dumps(EVENT)[10:]

    headers = {"content-type": "application/json"}
    answer = await client.post("/v1/events", content=chunks(), headers=headers)
    assert answer.status_code == 202


async def test_too_many_events_are_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", json=[EVENT] * 6)
    assert (answer.status_code, answer.headers["content-type"]) == (413, PROBLEM)


async def test_another_format_is_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/events", data={"a": "b"})
    assert (answer.status_code, answer.headers["content-type"]) == (415, PROBLEM)
    assert "application/json" in answer.json()["detail"]


async def test_an_outage_is_told(client: httpx.AsyncClient, log: InMemoryPublisher) -> None:
    log.outage = "no broker"
    answer = await client.post("/v1/events", json=EVENT)
    assert (answer.status_code, answer.headers["content-type"]) == (503, PROBLEM)
    assert int(answer.headers["retry-after"]) > 0
    assert not log.topics
    ready = await client.get("/ready")
    assert (ready.status_code, ready.json()["checks"]) == (503, {"kafka": "no broker"})


async def test_every_documented_example_is_accepted(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    posted = 0
    paths = [path for path in document["paths"] if path.startswith("/v1/")]
    for path in paths:
        operation = document["paths"][path]["post"]
        assert operation["responses"].keys() == {"202", "413", "415", "422", "503"}
        for media_type, content in operation["requestBody"]["content"].items():
            examples = [e["value"] for e in content.get("examples", {}).values()]
            for example in examples or [content["example"]]:
                raw = example if isinstance(example, str) else orjson.dumps(example)
                headers = {"content-type": media_type}
                answer = await client.post(path, content=raw, headers=headers)
                assert answer.status_code == 202, answer.text
                posted += 1
    assert posted == 5 * len(paths)
    assert len(paths) == 6
