"""FORECASTER_*: what an operator may change."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class ForecasterSettings(ServiceSettings):
    """How long what is kept, and where the queue directory is."""

    model_config = SettingsConfigDict(env_prefix="FORECASTER_", frozen=True)

    port: int = Field(default=8003, ge=0, le=65535)
    group: str = "forecaster"
    queues_file: Path | None = None
    # A repeated event is recognised as long as its ticket's record lives.
    ticket_days: int = Field(default=30, ge=1)
    # Minutes serve the last days' intraday view; hours and days stay for ever.
    minute_days: int = Field(default=8, ge=1)
    feed_length: int = Field(default=10_000, ge=1)
    # How often Redis's positions are compared while nothing arrives: Redis may have gone back.
    compare_seconds: float = Field(default=1.0, gt=0)
