"""The gateway as a process on a real Valkey: starts, streams live, stops; says what is wrong."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from deploy.local.valkey import LocalValkey
from shared import redis_keys
from tests.deadlines import wait_until
from tests.unit.gateway.builders import a_record, an_entry

COMMAND = [sys.executable, "-m", "services.gateway"]
DEADLINE = 60.0


def environment(**changes: str) -> dict[str, str]:
    ours = ("GATEWAY_", "REDIS_", "KAFKA_")
    return {k: v for k, v in os.environ.items() if not k.startswith(ours)} | changes


def run(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=DEADLINE,
        check=False,
    )


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def gateway(port: int, redis_url: str, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A gateway that answers; ended with SIGTERM where the test has not."""
    settings = environment(
        GATEWAY_PORT=str(port), REDIS_URL=redis_url, GATEWAY_CLASSIFIER_URL="http://127.0.0.1:9"
    )
    with log.open("wb") as errors:
        process = subprocess.Popen(COMMAND, env=settings, stderr=errors)
        try:
            wait_until(lambda: _lives(port), DEADLINE)
            yield process
        finally:
            process.terminate()
            process.wait(DEADLINE)


def _lives(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/health").status_code == 200
    except httpx.TransportError:
        return False


async def put(redis: Redis, number: int) -> str:
    """Project one ticket; answers the id of its event."""
    record = a_record(number)
    await redis.set(redis_keys.ticket(record.ticket_id), record.model_dump_json())
    entry = an_entry(number).model_dump_json()
    event_id = await redis.xadd(redis_keys.FEED, {"data": entry})
    assert isinstance(event_id, bytes)
    return event_id.decode()


async def lines(answer: httpx.Response) -> AsyncIterator[str]:
    async with asyncio.timeout(DEADLINE):
        async for line in answer.aiter_lines():
            yield line


async def test_streams_live_resumes_and_ends_on_sigterm(tmp_path: Path, free_port: int) -> None:
    with (
        LocalValkey(tmp_path / "valkey") as valkey,
        gateway(free_port, valkey.url, tmp_path / "log") as process,
    ):
        async with (
            Redis.from_url(valkey.url) as redis,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{free_port}", timeout=DEADLINE) as http,
        ):
            first = await put(redis, 1)
            second = await put(redis, 2)
            assert (await http.get("/api/v1/tickets/T-2")).json()["topic"] == "vpn"
            resume = {"Last-Event-ID": first}
            async with http.stream("GET", "/api/v1/stream", headers=resume) as answer:
                told = lines(answer)
                assert await anext(told) == f"data: {an_entry(2).model_dump_json()}"
                assert await anext(told) == f"id: {second}"
                third = await put(redis, 3)
                assert [await anext(told) for _ in range(3)] == [
                    "",
                    f"data: {an_entry(3).model_dump_json()}",
                    f"id: {third}",
                ]
                process.send_signal(signal.SIGTERM)
                assert [line async for line in told] == [""]
        assert process.wait(DEADLINE) == 0


def test_without_redis_it_lives_and_says_why_it_is_not_ready(
    tmp_path: Path, free_port: int
) -> None:
    with gateway(free_port, "redis://127.0.0.1:9/0", tmp_path / "log"):
        answer = httpx.get(f"http://127.0.0.1:{free_port}/ready", timeout=DEADLINE)
        tickets = httpx.get(f"http://127.0.0.1:{free_port}/api/v1/tickets", timeout=DEADLINE)
    assert answer.status_code == 503
    checks = answer.json()["checks"]
    assert "Redis does not answer" in checks["redis"]
    assert "http://127.0.0.1:9 does not answer" in checks["model"]
    assert tickets.status_code == 503


def test_help_answers() -> None:
    answer = run("--help")
    assert answer.returncode == 0
    assert "GATEWAY_CLASSIFIER_URL" in answer.stdout


def test_a_taken_port_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        answer = run("--port", str(taken.getsockname()[1]))
    assert answer.returncode == 2
    assert "already taken" in answer.stderr
    assert answer.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"GATEWAY_PORT": "99999"}, "port"),
        ({"GATEWAY_QUEUES_FILE": "nowhere.json"}, "nowhere.json"),
        ({"KAFKA_SASL_USERNAME": "u"}, "KafkaSettings: KAFKA_SASL_USERNAME is set"),
    ],
)
def test_settings_that_cannot_work_are_named(settings: dict[str, str], says: str) -> None:
    answer = run(**settings)
    assert answer.returncode == 2
    assert says in answer.stderr
    assert "Traceback" not in answer.stderr
