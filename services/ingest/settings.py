"""INGEST_*: where ingest listens and what it takes."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class IngestSettings(ServiceSettings):
    """Everything but Kafka, which has its own settings."""

    model_config = SettingsConfigDict(env_prefix="INGEST_", frozen=True)

    port: int = Field(default=8001, ge=0, le=65535, description="HTTP port")
    pseudonym_key: SecretStr | None = Field(
        default=None,
        min_length=16,
        description="secret of the requesters' pseudonyms, 16 characters or more; "
        "without it each start makes new pseudonyms",
    )
    max_events: int = Field(default=500, ge=1, description="events in one request")
    max_body_bytes: int = Field(default=5_000_000, ge=1, description="bytes of one request")
    # base64 of a parked record (4/3 of this) and a label's scores beside the text must still fit
    # into max.message.bytes of the topics, 1 MiB.
    max_record_bytes: int = Field(default=700_000, ge=1, description="bytes of one encoded event")
    # Below the 5 s after which webhooks give up, with room for the answer.
    ack_timeout: float = Field(default=4.0, gt=0, description="seconds to wait for Kafka")
    linger_ms: float = Field(
        default=0, ge=0, le=1_000, description="milliseconds that records wait for company"
    )
    refit_pause: float = Field(
        default=3.0, gt=0, description="seconds from a correction to the models' refit"
    )
    max_in_flight_events: int = Field(
        default=20_000, ge=1, description="events that may wait for Kafka, beyond: 503"
    )
    max_in_flight_bytes: int = Field(
        default=64 * 2**20, ge=1, description="bytes that may wait for Kafka, beyond: 503"
    )
    # Bounds the request bodies held in memory at once.
    max_connections: int = Field(default=1_000, ge=1, description="connections, beyond: 503")
