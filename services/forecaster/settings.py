"""FORECASTER_*: what an operator may change."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from services.forecaster.calendars import Place
from services.forecaster.domain.surges.detection import THRESHOLD
from shared.settings import ServiceSettings


class ForecasterSettings(ServiceSettings):
    """How long what is kept, where the queue directory is, and by which calendar queues live."""

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
    # Days, weekdays and holidays of a queue are those of the place its people live in.
    timezone: str = "UTC"
    country: str | None = None
    # {"queue path": {"timezone": "...", "country": "..."}}; holds for all queues below as well.
    places: dict[str, Place] = Field(default_factory=dict)
    # Uploaded datasets that nobody fills again are forgotten after this many days.
    dataset_days: int = Field(default=30, ge=1)
    max_upload_bytes: int = Field(default=200_000_000, ge=1)
    # A surge: an hour so many standard deviations above its profile, of enough tickets and people.
    surge_threshold: float = Field(default=THRESHOLD, gt=0)
    surge_min_tickets: int = Field(default=5, ge=1)
    surge_min_requesters: int = Field(default=5, ge=1)
    # Hours that were not watched while they passed are told of if they ended no longer ago.
    surge_fresh_hours: int = Field(default=3, ge=0)
    surge_look_seconds: float = Field(default=10.0, gt=0)
    # 2 KB per queue and day: how long a published forecast is held to what happened.
    published_days: int = Field(default=120, ge=1)
    # Each costs 50 ms; a queue is judged once a week, so five times as many stay well judged.
    judged_a_day: int = Field(default=200, ge=0)
