"""Memory of a worker and of the broker, and how long the broker takes to come up again."""

import asyncio
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from bench.processes import rss_mb
from bench.row import Row, row
from bench.stores import Stores
from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from services.simulator.adapters.http_client import HttpClient, Unreachable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from tests.deadlines import eventually

READY = 200


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """MiB and seconds."""
    return [
        row("worker before a model is loaded", _worker(stores), "MiB", at_most=160),
        *_broker(1 if quick else 5),
    ]


def _worker(stores: Stores) -> float:
    """The forecaster is a worker without a model."""
    asyncio.run(create_topics(KafkaSettings(bootstrap_servers=stores.bootstrap)))
    (port,) = free_ports(1)
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": stores.bootstrap,
        "REDIS_URL": stores.redis_url,
        "FORECASTER_PORT": str(port),
    }
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        command = [sys.executable, "-m", "services.forecaster"]
        log = Path(folder) / "log"
        worker = ChildProcess("worker", command, log=log, environment=environment)
        worker.start()
        try:
            asyncio.run(eventually(lambda: _ready(port), 60, what="the worker is ready"))
            return rss_mb(worker.pid)
        finally:
            worker.stop()


async def _ready(port: int) -> bool:
    client = HttpClient(f"http://127.0.0.1:{port}")
    try:
        return (await client.get("/ready")).status == READY
    except Unreachable:
        return False
    finally:
        await client.close()


def _broker(starts: int) -> list[Row]:
    taken, memory = [], []
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        broker = LocalBroker(Path(folder))
        broker.start()
        broker.stop()
        for _ in range(starts):
            began = time.perf_counter()
            broker.start()
            taken.append(time.perf_counter() - began)
            memory.append(rss_mb(broker.process.pid))
            broker.stop()
    return [
        row("broker, second start", statistics.median(taken), "s", at_most=2),
        row("broker", statistics.median(memory), "MiB", at_most=310),
    ]
