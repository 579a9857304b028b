"""CLASSIFIER_*: what an operator may change."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import ServiceSettings


class ClassifierSettings(ServiceSettings):
    """Where the models are, and when parking stops the service."""

    model_config = SettingsConfigDict(env_prefix="CLASSIFIER_", frozen=True)

    port: int = Field(default=8002, ge=0, le=65535)
    group: str = "classifier"
    models: Path = Path(".local/models")
    # A directory with model.onnx, tokenizer.json and encoder.json; left out: the built-in encoder.
    encoder: Path | None = None
    # Where `retrain` posts promotions.
    ingest_url: str = "http://127.0.0.1:8001"
    # Where what was learned from corrections is kept; left out: beside the models.
    snapshots: Path | None = None
    # Between records that tell all workers of words met in live tickets.
    words_seconds: float = Field(default=30, gt=0)
    # Above this share of parked records the fault is ours, not the senders'.
    parking_share: float = Field(default=0.5, gt=0, le=1)
    # A topic's labels are applied from the probability on at which this share of them is right.
    precision_target: float = Field(default=0.95, gt=0, lt=1)
    # This deployment only watches: none of its labels is to be acted on.
    shadow: bool = False
    # A call of the model (1,000 texts at most) that takes longer never returns.
    model_seconds: float = Field(default=60.0, gt=0)
