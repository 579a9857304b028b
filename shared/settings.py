"""Settings that several services read. Only a `__main__` or a command builds them."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """KAFKA_*: where the broker is and how topics are made."""

    model_config = SettingsConfigDict(env_prefix="KAFKA_", frozen=True)

    bootstrap_servers: str = "127.0.0.1:29092"
    # Twice the largest number of workers ever wanted; keys and src_offset depend on it for life.
    partitions: int = Field(default=12, ge=1, le=1000)
    # 1 fits the embedded single broker; production sets 3, which makes min.insync.replicas 2.
    replication: int = Field(default=1, ge=1)
    max_record_bytes: int = 1_048_576


class RedisSettings(BaseSettings):
    """REDIS_*: the read side."""

    model_config = SettingsConfigDict(env_prefix="REDIS_", frozen=True)

    url: str = "redis://127.0.0.1:26379/0"


class ServiceSettings(BaseSettings):
    """What every service has: an address for HTTP and a log level."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log_level: str = "INFO"
