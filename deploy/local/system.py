"""The whole of Deskstream on this machine: stores, topics, services, and their environment."""

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
import redis

from deploy.local import ports
from deploy.local.broker import LocalBroker, prepare
from deploy.local.installation import KafkaInstallation
from deploy.local.preflight import require_java
from deploy.local.processes import ChildProcess
from deploy.local.settings import LocalSettings
from deploy.local.supervision import Supervised, Supervisor
from deploy.local.valkey import LocalValkey
from deploy.local.workspace import CHECKOUT, Workspace
from shared.errors import Unavailable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings, RedisSettings

QUEUES_FILE = CHECKOUT / "services" / "simulator" / "helpdesk.json"
READY_SECONDS = 180.0
POLL_SECONDS = 0.1
# By name: the module and its subcommand.
SERVICES = {
    "classifier": ("services.classifier",),
    "semantic": ("services.classifier", "semantic"),
    "forecaster": ("services.forecaster",),
    "ingest": ("services.ingest",),
    "gateway": ("services.gateway",),
}


class System:
    """A context: everything is running inside, nothing of it after, however it is left."""

    def __init__(
        self,
        settings: LocalSettings,
        workspace: Workspace,
        *,
        models: Path,
        announce: Callable[[str], None],
    ) -> None:
        self.supervisor = Supervisor(announce)
        self._settings = settings
        self._workspace = workspace
        self._models = models
        self._announce = announce
        self._stores: list[Supervised] = []
        self._services: list[Supervised] = []
        self.bootstrap_servers = settings.kafka_bootstrap_servers or ""
        self.redis_url = settings.redis_url or ""

    def __enter__(self) -> Self:
        try:
            ports.require_free(self._settings.ports)
            self._start_stores()
            for name, words in SERVICES.items():
                self._services.append(self.process(name, *words))
                self.supervisor.start(self._services[-1])
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @contextmanager
    def stores(self) -> Iterator[None]:
        """Broker and Valkey with the topics, without the services."""
        try:
            self._start_stores()
            yield
        finally:
            self.stop()

    def _start_stores(self) -> None:
        """Start broker and Valkey where none are given, and make the topics."""
        run, logs = self._workspace.run, self._workspace.logs
        if not self.redis_url:
            port = self._settings.redis_port
            valkey = LocalValkey(run / "valkey", port=port, log=logs / "valkey.log")
            self._stores.append(valkey)
            self.supervisor.start(valkey)
            self.redis_url = valkey.url
        else:
            _require_redis(self.redis_url)
        if not self.bootstrap_servers:
            prepare_kafka(self._announce)
            port = self._settings.kafka_port
            broker = LocalBroker(run / "kafka", port=port, log=logs / "kafka.log")
            self._stores.append(broker)
            self.supervisor.start(broker)
            self.bootstrap_servers = broker.bootstrap_servers
        kafka = KafkaSettings(
            bootstrap_servers=self.bootstrap_servers, partitions=self._settings.kafka_partitions
        )
        asyncio.run(create_topics(kafka))

    def stop(self) -> None:
        """The clients first and together, then the stores they write to."""
        self.supervisor.stop([self._services, self._stores])

    def process(self, name: str, module: str, *arguments: str) -> ChildProcess:
        """A Python module of this checkout as a child process with the services' environment."""
        return ChildProcess(
            name,
            [sys.executable, "-m", module, *arguments],
            log=self._workspace.logs / f"{name}.log",
            # One process of each: under its name, a restart takes its partitions back at once.
            environment={**self.environment(), "INTAKE_MEMBER_ID": name},
        )

    def environment(self) -> dict[str, str]:
        """What the services read, on top of what this process was given."""
        settings = self._settings
        given = {
            "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap_servers,
            "KAFKA_PARTITIONS": settings.kafka_partitions,
            "REDIS_URL": self.redis_url,
            "INGEST_PORT": settings.ingest_port,
            "CLASSIFIER_PORT": settings.classifier_port,
            "CLASSIFIER_MODELS": self._models,
            "SEMANTIC_PORT": settings.semantic_port,
            "FORECASTER_PORT": settings.forecaster_port,
            "FORECASTER_QUEUES_FILE": QUEUES_FILE,
            "GATEWAY_PORT": settings.gateway_port,
            "GATEWAY_QUEUES_FILE": QUEUES_FILE,
            "GATEWAY_INGEST_URL": settings.ingest,
            "GATEWAY_CLASSIFIER_URL": settings.classifier,
            "GATEWAY_FORECASTER_URL": settings.forecaster,
            "GATEWAY_SEMANTIC_URL": settings.semantic,
            # One thread each: the processes are the parallelism.
            "OMP_NUM_THREADS": 1,
            "OPENBLAS_NUM_THREADS": 1,
        }
        return {name: str(value) for name, value in given.items()}

    @contextmanager
    def without_second_looks(self) -> Iterator[None]:
        """Inside, the semantic worker does not run; after it is back and ready."""
        [semantic] = [each for each in self._services if each.name == "semantic"]
        self.supervisor.release(semantic)
        yield
        self.supervisor.start(semantic)
        self._await_ready(self._settings.semantic)

    def await_ready(self) -> None:
        """Return when gateway and ingest say that everything answers; Unavailable with reasons."""
        # The gateway answers for classifier and forecaster too.
        self._await_ready(self._settings.gateway, self._settings.ingest)

    def _await_ready(self, *urls: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        reasons = ["nothing answers"]
        while reasons:
            if time.monotonic() > deadline:
                raise Unavailable(
                    f"Not ready after {READY_SECONDS:.0f} s: {'; '.join(reasons)}. "
                    f"Logs: {self._workspace.logs}"
                )
            self.supervisor.watch()
            reasons = [reason for url in urls for reason in _not_ready(url)]
            time.sleep(POLL_SECONDS)


def _not_ready(url: str) -> list[str]:
    """Why a service is not ready; empty when it is."""
    try:
        answer = httpx.get(f"{url}/ready", timeout=5)
        checks: dict[str, str] = answer.json()["checks"]
    except (httpx.HTTPError, ValueError, KeyError):
        return [f"{url} does not answer"]
    reasons = [f"{name}: {reason}" for name, reason in checks.items() if reason != "ok"]
    return [] if answer.is_success else reasons or [f"{url} is not ready"]


def _require_redis(url: str) -> None:
    settings = RedisSettings(url=url)
    try:
        with redis.Redis.from_url(
            **settings.connection(), socket_timeout=5, socket_connect_timeout=5
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise Unavailable(f"Redis at {settings.address} does not answer: {error}") from None


def prepare_kafka(announce: Callable[[str], None]) -> None:
    """Java, Maven and Kafka's jars, once; a sentence where that takes a moment."""
    require_java(announce)
    installation = KafkaInstallation.default()
    if not installation.lib.exists():
        announce("Fetching Apache Kafka from Maven Central, once ...")
    prepare(installation)
