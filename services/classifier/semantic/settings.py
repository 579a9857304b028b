"""SEMANTIC_*: what an operator may change of the second look."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class SemanticSettings(ServiceSettings):
    """How much the semantic worker looks at. Models and snapshots are the classifier's."""

    model_config = SettingsConfigDict(env_prefix="SEMANTIC_", frozen=True)

    port: int = Field(default=8004, ge=0, le=65535)
    group: str = "semantic"
    # Of the tickets, the least sure; as many again may follow for being novel or lately corrected.
    share: float = Field(default=0.1, ge=0, le=1)
    # Of one core, for everything: what is over after the least sure goes to finding duplicates.
    cpu_share: float = Field(default=0.25, gt=0, le=1)
    # Labels older than this are passed over until the worker has caught up.
    most_behind_seconds: float = Field(default=30.0, gt=0)
    # How long tickets wait for others: batches cost less than tickets alone.
    gather_seconds: float = Field(default=0.25, ge=0)
    # Tickets that a new one is compared with; 3 KB each.
    recent: int = Field(default=20_000, ge=1, le=1_000_000)
