"""How a group member reads: batches, back pressure, sessions, commits."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class IntakeSettings(BaseSettings):
    """INTAKE_*: how a group member reads."""

    model_config = SettingsConfigDict(env_prefix="INTAKE_", frozen=True)

    max_records: int = Field(default=1_000, ge=1)
    # Unfinished chunks per partition; beyond it the partition is not fetched: back pressure.
    depth: int = Field(default=3, ge=1)
    # Unfinished records of all partitions: bounds memory, and keeps what is worked on in cache.
    in_flight_records: int = Field(default=8_000, ge=1)
    commit_seconds: float = 1.0
    # A member that died stops the whole group until its session ends.
    session_ms: int = 6_000
    heartbeat_ms: int = 1_000
    rebalance_ms: int = 8_000
    # How long a revocation or a stop waits for chunks under way.
    drain_seconds: float = 5.0
    # A topic created, or partitions added, are seen after this; aiokafka's default is 5 minutes.
    metadata_ms: int = 5_000
    # The broker answers when so many bytes are there, or after so long. More than one byte makes
    # a tenth of the polls for who is in no hurry.
    fetch_bytes: int = Field(default=1, ge=1)
    fetch_wait_ms: int = Field(default=500, ge=1)
    # A name that stays the same over restarts: a quick restart then moves no partition.
    member_id: str | None = None
