"""Broker, Redis and the services as real processes, with a client that feeds them and a judge."""

import asyncio
import random
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Self, TypeVar

import httpx
import redis

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.supervision import Supervisor
from deploy.local.valkey import LocalValkey
from shared import redis_keys as keys
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import LABELLED, RECEIVED
from tests.chaos import logbook
from tests.chaos.checker import Store, Verdict, judge
from tests.chaos.feeder import Client, Feeder, Ticket, one_per_partition, tickets
from tests.chaos.ledger import Ledger

T = TypeVar("T")
# Two shared cores: everything may be slow, nothing may hang.
PATIENCE = 180.0
TICK_SECONDS = 0.1


@dataclass(frozen=True)
class Setup:
    """What a row wants to run. Rows with the same setup may share one world."""

    partitions: int = 6
    classifiers: int = 2
    classifier: str = "services.classifier"
    forecaster: str = "services.forecaster"
    environment: tuple[tuple[str, str], ...] = ()
    supervised: bool = True
    provisioned: bool = True
    kafka_directory: Path | None = None
    redis_directory: Path | None = None


@dataclass
class World:
    """A context: everything runs inside, nothing of it after.

    Every wait goes through `until`, which also lets the supervisor restart what died.
    """

    setup: Setup
    directory: Path
    models: Path
    seed: int
    announce: Callable[[str], None] = lambda _: None
    ledger: Ledger = field(default_factory=Ledger)
    recoveries: list[float] = field(default_factory=list)
    services: dict[str, ChildProcess] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        logs = self.directory / "logs"
        at = self.setup
        self.broker = LocalBroker(
            at.kafka_directory or self.directory / "kafka", log=logs / "kafka.log"
        )
        self.valkey = LocalValkey(
            at.redis_directory or self.directory / "valkey", log=logs / "valkey.log"
        )
        self.supervisor = Supervisor(self.announce)
        self.store: Store = redis.Redis.from_url(self.valkey.url, socket_timeout=5)
        self._ports = dict(zip(("ingest", "forecaster"), free_ports(2), strict=True))
        self._numbers = iter(range(1_000_000))

    # -- life ------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        try:
            self.valkey.start()
            self.broker.start()
            if self.setup.provisioned:
                self.provision()
            self.run("ingest", "services.ingest")
            self.run("forecaster", self.setup.forecaster)
            for number in range(self.setup.classifiers):
                self.run(f"classifier-{number}", self.setup.classifier)
            if self.setup.provisioned:
                self.until_ready()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process; the stores last and without ceremony, their data is not needed."""
        self.supervisor.stop()
        for service in self.services.values():
            service.kill()
        for server in (self.broker, self.valkey):
            if server.is_alive():
                server.kill()

    def provision(self) -> None:
        asyncio.run(create_topics(self.kafka))

    @property
    def kafka(self) -> KafkaSettings:
        return KafkaSettings(
            bootstrap_servers=self.broker.bootstrap_servers, partitions=self.setup.partitions
        )

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self._ports['ingest']}"

    @property
    def classifiers(self) -> list[ChildProcess]:
        return [self.services[name] for name in sorted(self.services) if "classifier" in name]

    @property
    def forecaster(self) -> ChildProcess:
        return self.services["forecaster"]

    def run(self, name: str, module: str, **environment: str) -> ChildProcess:
        """Start a service and keep it running."""
        service = self.process(name, module, **environment)
        self.services[name] = service
        if self.setup.supervised:
            self.supervisor.start(service)
        else:
            service.start()
        return service

    def process(self, name: str, module: str, *arguments: str, **environment: str) -> ChildProcess:
        """A module with the services' environment on a port of its own."""
        port = self._ports.get(name) or free_ports(1)[0]
        self._ports[name] = port
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "KAFKA_PARTITIONS": str(self.setup.partitions),
            "REDIS_URL": self.valkey.url,
            "CLASSIFIER_MODELS": str(self.models),
            "INGEST_PSEUDONYM_KEY": "only-for-the-fault-suite",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        } | {f"{kind}_PORT": str(port) for kind in ("INGEST", "CLASSIFIER", "FORECASTER")}
        return ChildProcess(
            name,
            [sys.executable, "-m", module, *arguments],
            log=self.directory / "logs" / f"{name}.log",
            environment=given | dict(self.setup.environment) | environment,
            grace_seconds=25.0,
        )

    # -- waiting ---------------------------------------------------------------------------------

    def until(self, condition: Callable[[], T], what: str, seconds: float = PATIENCE) -> T:
        """The first truthy answer. AssertionError past the deadline. A store may be away."""
        deadline = time.monotonic() + seconds
        last: object = None
        while time.monotonic() < deadline:
            self.supervisor.watch()
            try:
                answer = condition()
            except (redis.RedisError, httpx.HTTPError) as away:
                last = away
            else:
                if answer:
                    return answer
                last = answer
            time.sleep(TICK_SECONDS)
        raise AssertionError(f"not within {seconds:.0f} s: {what} (last: {last!r})")

    def until_ready(self) -> None:
        """Every service says so itself."""
        for name in self.services:
            self.until(lambda name=name: self.reason(name) == "", f"{name} is ready")  # type: ignore[misc]

    def reason(self, name: str) -> str:
        """Why a service is not ready; empty when it is."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self._ports[name]}/ready", timeout=5)
        except httpx.HTTPError as error:
            return f"does not answer: {error!r}"
        return "" if answer.status_code == 200 else answer.text

    def metric(self, name: str, prefix: str) -> float:
        """The sum of a service's samples that begin with `prefix`."""
        text = httpx.get(f"http://127.0.0.1:{self._ports[name]}/metrics", timeout=5).text
        lines = (line for line in text.splitlines() if line.startswith(prefix))
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines)

    def totals(self) -> Mapping[str, int]:
        """The projection's own totals, for progress only: the judge recomputes them."""
        stored: dict[bytes, bytes] = self.store.hgetall(keys.TOTALS)
        return {name.decode(): int(value) for name, value in stored.items()}

    # -- work ------------------------------------------------------------------------------------

    def tickets(self, count: int, newest: datetime | None = None) -> list[Ticket]:
        """New tickets, named so that no other of this world is the same."""
        return tickets(f"t{next(self._numbers)}", count, self.seed, newest)

    def post(self, batch: list[Ticket]) -> int | None:
        """One request; its status, or None without an answer."""
        client = Client(self.ingest, self.ledger)
        try:
            return client.post(batch)
        finally:
            client.close()

    @contextmanager
    def feeding(
        self, work: list[Ticket] | int, rate: float = 150.0, batch: int = 25
    ) -> Iterator[Feeder]:
        """Post in the background; at the end wait until all of it was accepted."""
        work = self.tickets(work) if isinstance(work, int) else work
        feeder = Feeder(self.ingest, self.ledger, work, rate=rate, batch=batch)
        feeder.start()
        try:
            yield feeder
            self.until(lambda: not feeder.is_alive(), "everything is accepted", 2 * PATIENCE)
        finally:
            feeder.stop()
            feeder.join(PATIENCE)
        assert feeder.refusal is None, feeder.refusal

    def recover(self) -> float:
        """Seconds from now until a ticket of every partition was accepted and is readable."""
        started = time.monotonic()
        probes = one_per_partition(f"p{next(self._numbers)}-{self.seed}", self.setup.partitions)
        self.until(lambda: self.post(probes) == 202, "ingest accepts")
        names = [keys.ticket(probe["ticket_id"]) for probe in probes]
        self.until(lambda: self.store.exists(*names) == len(names), "all partitions flow")
        self.recoveries.append(time.monotonic() - started)
        return self.recoveries[-1]

    # -- judgement -------------------------------------------------------------------------------

    def at_rest(self) -> bool:
        """Is all that was received labelled, and all that was labelled in Redis?"""
        ends = asyncio.run(logbook.ends(self.broker.bootstrap_servers, [RECEIVED, LABELLED]))
        for partition in range(self.setup.partitions):
            name = keys.position(LABELLED.name, partition)
            offset, source = self.store.hmget(name, ["offset", "source"])
            if int(offset or 0) != ends[LABELLED.name, partition]:
                return False
            # A naive projection keeps no source; the topic then has to be read for it.
            if source is not None and int(source) != ends[RECEIVED.name, partition] - 1:
                return False
            if source is None and ends[RECEIVED.name, partition] > ends[LABELLED.name, partition]:
                return False
        return True

    def settle(self) -> Verdict:
        """Wait until everything came to rest, then judge."""
        self.until(self.at_rest, "everything received is labelled and in Redis")
        return asyncio.run(judge(self.broker.bootstrap_servers, self.store, self.ledger))
