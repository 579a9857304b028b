"""Broker, Redis and the services as real processes: start, stop, wait for, look at."""

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import redis

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.supervision import Supervisor
from deploy.local.valkey import LocalValkey
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from tests.chaos.checker import Store

T = TypeVar("T")
# Two shared cores: everything may be slow, nothing may hang.
PATIENCE = 180.0
TICK_SECONDS = 0.1
PROCESS_STATUS = Path("/proc")


@dataclass(frozen=True)
class Setup:
    """What a row wants to run. Rows with the same setup may share one world."""

    partitions: int = 6
    classifiers: int = 2
    classifier: str = "services.classifier"
    forecaster: str = "services.forecaster"
    environment: tuple[tuple[str, str], ...] = ()
    # Each classifier keeps its group membership over a restart (INTAKE_MEMBER_ID).
    named_members: bool = False
    provisioned: bool = True
    kafka_directory: Path | None = None
    redis_directory: Path | None = None


class Fleet:
    """Every process of one system. All waiting goes through `until`, which also supervises."""

    def __init__(
        self, setup: Setup, directory: Path, models: Path, announce: Callable[[str], None]
    ) -> None:
        self.setup = setup
        self.directory = directory
        self.services: dict[str, ChildProcess] = {}
        self.supervisor = Supervisor(announce)
        self.models = models
        self._ports: dict[str, int] = {}
        logs = directory / "logs"
        kafka = setup.kafka_directory or directory / "kafka"
        self.broker = LocalBroker(kafka, log=logs / "kafka.log")
        stored = setup.redis_directory or directory / "valkey"
        self.valkey = LocalValkey(stored, log=logs / "valkey.log")
        self.store: Store = redis.Redis.from_url(self.valkey.url, socket_timeout=5)

    # -- life ------------------------------------------------------------------------------------

    def open(self) -> None:
        """Start everything and wait until it is ready, or nothing."""
        try:
            self.valkey.start()
            self.broker.start()
            if self.setup.provisioned:
                self.provision()
            self.run("ingest", "services.ingest")
            self.run("forecaster", self.setup.forecaster)
            for number in range(self.setup.classifiers):
                name = f"classifier-{number}"
                named = {"INTAKE_MEMBER_ID": name} if self.setup.named_members else {}
                self.run(name, self.setup.classifier, **named)
            if self.setup.provisioned:
                self.until_ready()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every process without ceremony: its data is not needed any more."""
        self.supervisor = Supervisor(lambda _: None)
        for service in self.services.values():
            service.kill()
        for server in (self.broker, self.valkey):
            if server.is_alive():
                server.kill()
        self.store.close()

    def provision(self) -> None:
        """Make the topics."""
        settings = KafkaSettings(
            bootstrap_servers=self.broker.bootstrap_servers, partitions=self.setup.partitions
        )
        asyncio.run(create_topics(settings))

    def url(self, name: str) -> str:
        """The HTTP side of a service."""
        if name not in self._ports:
            self._ports[name] = free_ports(1)[0]
        return f"http://127.0.0.1:{self._ports[name]}"

    @property
    def forecaster(self) -> ChildProcess:
        return self.services["forecaster"]

    def run(self, name: str, module: str, *arguments: str, **environment: str) -> ChildProcess:
        """Start a service and keep it running."""
        service = self.process(name, module, *arguments, **environment)
        self.services[name] = service
        self.supervisor.start(service)
        return service

    def stop(self, name: str) -> None:
        """End a service for good."""
        self.supervisor.release(self.services.pop(name))

    def process(self, name: str, module: str, *arguments: str, **environment: str) -> ChildProcess:
        """A module with the services' environment on a port of its own, not supervised."""
        port = self.url(name).rpartition(":")[2]
        kinds = ("INGEST", "CLASSIFIER", "FORECASTER", "GATEWAY", "SEMANTIC")
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.bootstrap_servers,
            "KAFKA_PARTITIONS": str(self.setup.partitions),
            "REDIS_URL": self.valkey.url,
            "CLASSIFIER_MODELS": str(self.models),
            "GATEWAY_INGEST_URL": self.url("ingest"),
            "GATEWAY_CLASSIFIER_URL": self.url("classifier-0"),
            "GATEWAY_FORECASTER_URL": self.url("forecaster"),
            "INGEST_PSEUDONYM_KEY": "only-for-the-fault-suite",
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
        } | {f"{kind}_PORT": port for kind in kinds}
        return ChildProcess(
            name,
            [sys.executable, "-m", module, *arguments],
            log=self.directory / "logs" / f"{name}.log",
            environment=given | dict(self.setup.environment) | environment,
            grace_seconds=25.0,
        )

    # -- waiting and looking ---------------------------------------------------------------------

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
            answer = httpx.get(f"{self.url(name)}/ready", timeout=5)
        except httpx.HTTPError as error:
            return f"no answer ({type(error).__name__})"
        return "" if answer.status_code == 200 else answer.text

    def samples(self, name: str, prefix: str) -> list[float]:
        """The samples of a service's metrics that begin with `prefix`."""
        text = httpx.get(f"{self.url(name)}/metrics", timeout=5).text
        lines = (line for line in text.splitlines() if line.startswith(prefix))
        return [float(line.rsplit(" ", 1)[1]) for line in lines]

    def metric(self, name: str, prefix: str) -> float:
        """Their sum."""
        return sum(self.samples(name, prefix))

    def rss(self, name: str) -> float:
        """Resident memory of a service in MB (2^20 bytes)."""
        status = PROCESS_STATUS / str(self.services[name].pid) / "status"
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
