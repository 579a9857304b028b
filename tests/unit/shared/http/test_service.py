"""What every service answers, whatever it is for."""

import asyncio

import httpx
from fastapi import FastAPI
from pydantic import BaseModel

from shared.errors import FieldError, InvalidEvent, Unavailable
from shared.http import create_service


class Body(BaseModel):
    n: int


def a_service(reason: str | None = None) -> FastAPI:
    async def check() -> str | None:
        return reason

    app = create_service("test", title="t", description="d", checks={"broker": check})

    @app.get("/away")
    async def away() -> None:
        raise Unavailable("Kafka does not answer", retry_after=7)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret")

    @app.post("/bad")
    async def bad(_: Body) -> None:
        raise InvalidEvent("no", [FieldError("/0/id", "too long")])

    return app


async def ask(app: FastAPI, method: str, path: str, **options: object) -> httpx.Response:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, **options)  # type: ignore[arg-type]


async def test_ready_gives_the_reason_why_not() -> None:
    answer = await ask(a_service("no broker at x:1"), "GET", "/ready")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "checks": {"broker": "no broker at x:1"}}
    good = await ask(a_service(), "GET", "/ready")
    assert (good.status_code, good.json()["checks"]) == (200, {"broker": "ok"})


async def test_what_it_can_do_without_is_told_and_tolerated() -> None:
    async def well() -> str | None:
        return None

    async def away() -> str | None:
        return "nobody there"

    app = create_service(
        "test", title="t", description="d", checks={"broker": well}, tolerated={"extra": away}
    )
    answer = await ask(app, "GET", "/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ready")
    assert answer.json()["checks"] == {"broker": "ok", "extra": "degraded: nobody there"}
    app = create_service(
        "test", title="t", description="d", checks={"broker": away}, tolerated={"extra": well}
    )
    assert (await ask(app, "GET", "/ready")).status_code == 503


async def test_a_check_that_raises_or_hangs_is_a_reason() -> None:
    async def hangs() -> str | None:
        await asyncio.Event().wait()
        return None

    app = create_service("test", title="t", description="d", checks={"redis": hangs})
    answer = await ask(app, "GET", "/ready")
    assert answer.status_code == 503
    assert "no answer" in answer.json()["checks"]["redis"]


async def test_errors_are_problem_documents() -> None:
    app = a_service()
    away = await ask(app, "GET", "/away")
    assert (away.status_code, away.headers["retry-after"]) == (503, "7")
    assert away.headers["content-type"] == "application/problem+json"
    invalid = await ask(app, "POST", "/bad", json={"n": 1})
    assert invalid.json()["errors"] == [{"pointer": "/0/id", "detail": "too long"}]
    unreadable = await ask(app, "POST", "/bad", json={"n": "x"})
    assert unreadable.status_code == 422
    assert unreadable.json()["errors"][0]["pointer"] == "/n"
    missing = await ask(app, "GET", "/nowhere")
    assert (missing.status_code, missing.json()["status"]) == (404, 404)


async def test_an_unexpected_error_says_nothing_of_its_inside() -> None:
    answer = await ask(a_service(), "GET", "/broken")
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_metrics_label_the_route_not_the_path() -> None:
    app = a_service()
    await ask(app, "GET", "/unheard/of/42")
    text = (await ask(app, "GET", "/metrics")).text
    assert 'route="unmatched"' in text
    assert "/unheard" not in text
