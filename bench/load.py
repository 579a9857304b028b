"""Queue load as it is served: 1,000 queues with three years of hours, behind the real processes.

Memory of the windows, the nightly refit, and what a client waits for a forecast or a history.
"""

import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import orjson
from redis import Redis

from bench.processes import cpu_seconds
from bench.row import Row, row
from bench.stores import Stores
from bench.windows import WEEKS, memory
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from services.simulator.adapters.http_client import HttpClient, Unreachable
from shared.clock import monotonic, utc_now
from shared.provisioning import create_topics
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings
from tests.deadlines import eventually

QUEUES = 1_000
CLIENTS = 8
# A quick bench asks whether it runs at all.
QUICK = 50
OK = 200
DEADLINE = 600.0
# Longer than from one look for surges to the next: the first replays a quarter of every series.
REST_SECONDS = 12.0


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """Memory, refit, and the 50th and 99th percentile of what is asked."""
    queues, asked = (QUICK, 60) if quick else (QUEUES, 500)
    redis = Redis.from_url(stores.redis_url)
    redis.flushall()
    try:
        found = memory(redis, queues, quick=quick)
        asyncio.run(create_topics(KafkaSettings(bootstrap_servers=stores.bootstrap)))
        with (
            TemporaryDirectory(prefix="deskstream-bench-") as folder,
            served(stores, Path(folder)) as processes,
        ):
            found += asyncio.run(figures(processes, queues, asked))
        return found
    finally:
        redis.flushall()
        redis.close()


@dataclass(frozen=True, slots=True)
class Served:
    """The forecaster and the gateway as processes, and where they answer."""

    forecaster: ChildProcess
    gateway: ChildProcess
    forecaster_url: str
    gateway_url: str

    @property
    def cpu(self) -> float:
        """Seconds that both took so far."""
        return cpu_seconds(self.forecaster.pid) + cpu_seconds(self.gateway.pid)


@contextmanager
def served(stores: Stores, folder: Path) -> Iterator[Served]:
    """The forecaster and the gateway as processes."""
    forecaster, gateway = (f"http://127.0.0.1:{port}" for port in free_ports(2))
    settings = {
        "KAFKA_BOOTSTRAP_SERVERS": stores.bootstrap,
        "REDIS_URL": stores.redis_url,
        "FORECASTER_PORT": forecaster.rsplit(":", 1)[1],
        "FORECASTER_COUNTRY": "GB",
        "FORECASTER_TIMEZONE": "Europe/London",
        "GATEWAY_PORT": gateway.rsplit(":", 1)[1],
        "GATEWAY_FORECASTER_URL": forecaster,
        # Not asked for anything here.
        "GATEWAY_CLASSIFIER_URL": "http://127.0.0.1:9",
    }
    processes = [
        ChildProcess(
            name,
            [sys.executable, "-m", f"services.{name}"],
            log=folder / f"{name}.log",
            environment=settings,
        )
        for name in ("forecaster", "gateway")
    ]
    try:
        for process in processes:
            process.start()
        yield Served(processes[0], processes[1], forecaster, gateway)
    finally:
        for process in processes:
            process.stop()


async def figures(served: Served, queues: int, asked: int) -> list[Row]:
    """The nightly refit, which begins with the process, and then the answers."""
    inside, gateway = HttpClient(served.forecaster_url), HttpClient(served.gateway_url)
    try:
        await eventually(lambda: _answers(inside, "/health"), DEADLINE, what="a forecaster")
        before = cpu_seconds(served.forecaster.pid)
        await eventually(lambda: _published(inside, queues + 1), DEADLINE, what="the refit")
        refit = cpu_seconds(served.forecaster.pid) - before
        await eventually(lambda: _answers(gateway, "/health"), DEADLINE, what="a gateway")
        await eventually(lambda: _rests(served.forecaster), DEADLINE, what="the end of the start")
        return [
            row(f"nightly refit of {queues:,} queues and all", refit, "s CPU", at_most=60.0),
            *await answers(served, gateway, queues, asked),
        ]
    finally:
        await inside.close()
        await gateway.close()


async def answers(served: Served, gateway: HttpClient, queues: int, asked: int) -> list[Row]:
    """Percentiles and CPU of each kind of request; what is asked follows from a seed."""
    dice = random.Random(5)

    def order(**changes: object) -> bytes:
        queue = {"queue_id": _id_of(dice.randrange(queues)), "forecast_horizon": 300}
        return orjson.dumps(queue | {"include_confidence_intervals": True} | changes)

    def fresh() -> bytes:
        # No forecast from this day was ever made for this queue.
        day = utc_now().date() - timedelta(days=dice.randrange(1, 200))
        return order(forecast_start_date=day)

    async def post(body: bytes) -> None:
        reply = await gateway.post_json("/api/forecast", body)
        if reply.status != OK:
            raise RuntimeError(f"{reply.status}: {reply.body[:300]!r}")

    async def history() -> None:
        path = f"/api/historical?queue_id={_id_of(dice.randrange(queues))}&granularity=hourly"
        reply = await gateway.get(path)
        if reply.status != OK or len(reply.body) < WEEKS * 168:
            raise RuntimeError(f"{reply.status}: {reply.body[:300]!r}")

    async def waits(
        name: str, call: Callable[[], Awaitable[None]], clients: int, promised: float | None
    ) -> list[Row]:
        # Connections that rested while fewer clients asked may have been closed by the server.
        await gateway.close()
        before = served.cpu
        seconds = await _times(call, asked, clients)
        half, high = (1000 * float(np.quantile(seconds, share)) for share in (0.5, 0.99))
        spent = 1000 * (served.cpu - before) / asked
        return [
            row(f"{name}, CPU of both", spent, "ms CPU"),
            row(f"{name}, p50", half, "ms"),
            row(f"{name}, p99", high, "ms", baseline="p50", baseline_value=half, at_most=promised),
        ]

    forecast, history_of = "POST /api/forecast, 300 days", "GET /api/historical, 3 years of hours"
    many = f"{CLIENTS} clients"
    await waits("what only a first request costs", lambda: post(order()), CLIENTS, None)
    return [
        *await waits(f"{forecast}, {many}", lambda: post(order()), CLIENTS, 50.0),
        *await waits(f"{forecast}, made before", lambda: post(order()), 1, 10.0),
        *await waits(f"{forecast}, fitted on demand", lambda: post(fresh()), 1, 25.0),
        *await waits(f"{forecast}, fitted on demand, {many}", lambda: post(fresh()), CLIENTS, None),
        *await waits(history_of, history, 1, 10.0),
    ]


def _id_of(queue: int) -> int:
    return QueueDirectory().id_of(f"queue {queue}")


async def _times(call: Callable[[], Awaitable[None]], count: int, clients: int) -> list[float]:
    """Seconds of each call; every client asks again as soon as it is answered."""
    left, taken = iter(range(count)), []

    async def client() -> None:
        for _ in left:
            began = monotonic()
            await call()
            taken.append(monotonic() - began)

    await asyncio.gather(*(client() for _ in range(clients)))
    return taken


async def _answers(client: HttpClient, path: str) -> bool:
    try:
        return (await client.get(path)).status == OK
    except Unreachable:
        return False


async def _rests(process: ChildProcess) -> bool:
    before = cpu_seconds(process.pid)
    await asyncio.sleep(REST_SECONDS)
    return cpu_seconds(process.pid) - before < 0.05 * REST_SECONDS


async def _published(client: HttpClient, forecasts: int) -> bool:
    await asyncio.sleep(0.5)
    try:
        text = (await client.get("/metrics")).body.decode()
    except Unreachable:  # its one thread is busy
        return False
    return f"deskstream_forecaster_published_total {float(forecasts)}" in text
