"""Ingest: events per CPU-second of its process, acknowledged by a real broker."""

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.pairs import alternate
from bench.processes import cpu_seconds
from bench.row import Row, row
from bench.stores import Stores
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from services.simulator.adapters.http_client import HttpClient, Unreachable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from tests.deadlines import eventually

CONCURRENCY = 32
BATCH = 100
ACCEPTED = 202


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """Arrays of 100 against the target, single posts against a route that only validates."""
    asyncio.run(create_topics(KafkaSettings(bootstrap_servers=stores.bootstrap)))
    arrays, singles, pairs = (60, 600, 1) if quick else (600, 8_000, 5)
    with _service(stores, "services.ingest") as ingest, _route(stores) as route:
        whole = alternate(
            lambda: ingest.per_cpu_second(arrays, BATCH),
            lambda: ingest.per_cpu_second(singles // 4, 1),
            pairs,
        )
        single = alternate(
            lambda: ingest.per_cpu_second(singles, 1),
            lambda: route.per_cpu_second(singles, 1),
            pairs,
        )
    return [
        row(
            "ingest, arrays of 100",
            whole.value,
            "events/CPU-s",
            baseline="single posts",
            baseline_value=whole.baseline,
            ratio=whole.ratio,
            at_least=25_000,
        ),
        row(
            "ingest, single posts",
            single.value,
            "events/CPU-s",
            baseline="FastAPI route that only validates",
            baseline_value=single.baseline,
            ratio=single.ratio,
            ratio_at_least=0.5,
        ),
    ]


class Server:
    """A process that takes events, and what they cost it."""

    def __init__(self, process: ChildProcess, port: int) -> None:
        self._process = process
        self._url = f"http://127.0.0.1:{port}"
        self._sent = 0

    def per_cpu_second(self, requests: int, events: int) -> float:
        """Post `requests` of `events` each, answer events per CPU-second of the process."""
        before = cpu_seconds(self._process.pid)
        asyncio.run(self._post(requests, events))
        return requests * events / (cpu_seconds(self._process.pid) - before)

    async def answers(self) -> bool:
        """Does it take an event?"""
        try:
            await self._post(1, 1)
        except Unreachable:
            return False
        return True

    async def _post(self, requests: int, events: int) -> None:
        client = HttpClient(self._url, connections=CONCURRENCY)
        bodies = [self._body(events) for _ in range(requests)]

        async def worker() -> None:
            while bodies:
                reply = await client.post_json("/v1/events", bodies.pop())
                if reply.status != ACCEPTED:
                    raise Unreachable(f"answered {reply.status}: {reply.body!r}")

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(CONCURRENCY):
                    group.create_task(worker())
        except ExceptionGroup as failed:
            raise failed.exceptions[0] from None
        finally:
            await client.close()

    def _body(self, events: int) -> bytes:
        made = []
        for _ in range(events):
            self._sent += 1
            made.append(
                {
                    "event_id": f"bench-{self._sent}",
                    "ticket_id": f"B-{self._sent}",
                    "created_at": "2026-03-02T12:00:00+00:00",
                    "subject": "VPN tunnel drops",
                    "body": "The tunnel drops every few minutes since the update. " * 8,
                    "requester": f"user{self._sent % 500}@example.org",
                    "channel": "mail",
                }
            )
        return orjson.dumps(made if events > 1 else made[0])


@contextmanager
def _service(stores: Stores, module: str, *arguments: str, port: int = 0) -> Iterator[Server]:
    port = port or free_ports(1)[0]
    environment = {
        "KAFKA_BOOTSTRAP_SERVERS": stores.bootstrap,
        "INGEST_PORT": str(port),
        "INGEST_PSEUDONYM_KEY": "a key for measuring",
    }
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        log = Path(folder) / "log"
        command = [sys.executable, "-m", module, *arguments]
        process = ChildProcess(module, command, log=log, environment=environment)
        process.start()
        try:
            server = Server(process, port)
            asyncio.run(eventually(server.answers, 60, what=f"{module} takes events"))
            yield server
        finally:
            process.stop()


def _route(stores: Stores) -> AbstractContextManager[Server]:
    port = free_ports(1)[0]
    return _service(stores, "bench.engines.validating_route", str(port), port=port)
