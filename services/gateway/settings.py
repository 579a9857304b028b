"""GATEWAY_*: where the gateway listens and whom it asks."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class GatewaySettings(ServiceSettings):
    """Read by `__main__` only."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True)

    port: int = Field(default=8000, ge=0, le=65535)
    # Asked for their readiness; the first page links to their documentation.
    classifier_url: str = "http://127.0.0.1:8002"
    forecaster_url: str = "http://127.0.0.1:8003"
    # The gateway is ready without it.
    semantic_url: str = "http://127.0.0.1:8004"
    ingest_url: str = "http://127.0.0.1:8001"
    # {"queues": {path: id}, "topics": {topic: path}}; without it ids are derived from the paths.
    queues_file: Path | None = None
    # Labels a slow stream client may lag behind before it is served from Redis again.
    stream_buffer: int = Field(default=1000, ge=1)
