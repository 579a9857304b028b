"""What can be chosen for a local run, all by environment variables."""

from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.workspace import Workspace
from shared.errors import Misconfigured


class LocalSettings(BaseSettings):
    """Ports, stores of one's own, and how the demo runs. Read by `__main__` and its commands."""

    model_config = SettingsConfigDict(frozen=True, populate_by_name=True)

    # Given: that broker or Redis is used and none is started.
    kafka_bootstrap_servers: str | None = None
    redis_url: str | None = None
    kafka_partitions: int = Field(default=12, ge=1)
    kafka_port: int = 29092
    redis_port: int = 26379
    gateway_port: int = 8000
    ingest_port: int = 8001
    classifier_port: int = 8002
    forecaster_port: int = 8003
    semantic_port: int = 8004

    # Data, logs and models of runs; Kafka's jars stay in the checkout's.
    deskstream_local: Path = Workspace().root

    # 0: until Ctrl-C.
    demo_seconds: float = Field(default=0, ge=0)
    # Tickets per second that the simulator posts.
    demo_rate: float = Field(default=50, gt=0)
    demo_seed: int = 7
    # Keep the data of the last run instead of starting fresh.
    demo_keep: bool = False
    # A CSV (or CSV.gz) of real tickets to train on and to replay, with its columns.
    demo_data: Path | None = None
    demo_text: str | None = None
    demo_label: str | None = None

    @classmethod
    def from_environment(cls) -> Self:
        """Raises Misconfigured naming the variable that has an impossible value."""
        try:
            return cls()
        except ValidationError as error:
            first = error.errors()[0]
            name = str(first["loc"][0]).upper()
            raise Misconfigured(f"{name}={first['input']}: {first['msg']}") from None

    @property
    def ports(self) -> dict[str, int]:
        """The ports this run opens, by the variable that moves each."""
        services = ("gateway", "ingest", "classifier", "forecaster", "semantic")
        names = [f"{service}_port" for service in services]
        if self.kafka_bootstrap_servers is None:
            names.append("kafka_port")
        if self.redis_url is None:
            names.append("redis_port")
        return {name.upper(): getattr(self, name) for name in names}

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"

    @property
    def ingest(self) -> str:
        return f"http://127.0.0.1:{self.ingest_port}"

    @property
    def classifier(self) -> str:
        return f"http://127.0.0.1:{self.classifier_port}"

    @property
    def forecaster(self) -> str:
        return f"http://127.0.0.1:{self.forecaster_port}"

    @property
    def semantic(self) -> str:
        return f"http://127.0.0.1:{self.semantic_port}"

    @property
    def pages(self) -> dict[str, str]:
        """What to open in a browser, by what it is."""
        return {
            "first page": self.gateway,
            "gateway's API": f"{self.gateway}/docs",
            "ingest's API": f"{self.ingest}/docs",
            "live labels": f"{self.gateway}/api/v1/stream",
            "queues": f"{self.gateway}/api/queues",
            "metrics": f"{self.forecaster}/metrics",
        }
