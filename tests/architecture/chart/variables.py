"""Which environment variables each component of the chart reads, from its settings."""

from pydantic_settings import BaseSettings

from services.classifier.semantic.radar import RadarSettings
from services.classifier.semantic.settings import SemanticSettings
from services.classifier.settings import ClassifierSettings
from services.forecaster.settings import ForecasterSettings
from services.gateway.settings import GatewaySettings
from services.ingest.settings import IngestSettings
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import IntakeSettings

# A service's own settings; what an operator may set in its `env`.
OWN: dict[str, tuple[type[BaseSettings], ...]] = {
    "ingest": (IngestSettings,),
    "classifier": (ClassifierSettings, IntakeSettings),
    "semantic": (SemanticSettings, RadarSettings, ClassifierSettings, IntakeSettings),
    "forecaster": (ForecasterSettings, IntakeSettings),
    "gateway": (GatewaySettings,),
    "retrain": (ClassifierSettings,),
}
SETTINGS: dict[str, tuple[type[BaseSettings], ...]] = {
    "ingest": (*OWN["ingest"], KafkaSettings, RedisSettings),
    "classifier": (*OWN["classifier"], KafkaSettings),
    "semantic": (*OWN["semantic"], KafkaSettings),
    "forecaster": (*OWN["forecaster"], KafkaSettings, RedisSettings),
    "gateway": (*OWN["gateway"], KafkaSettings, RedisSettings),
    "retrain": (*OWN["retrain"], KafkaSettings),
    "topics": (KafkaSettings,),
    "simulator": (),
    "test": (),
}
# Read by numba, and by services/classifier/models/encoding/carrier.py.
CACHES = {"NUMBA_CACHE_DIR", "DESKSTREAM_CACHE"}
# The chart's own to set: addresses, ports, files, and the group that KEDA watches.
RESERVED = {
    "INGEST_PORT", "INGEST_PSEUDONYM_KEY", "CLASSIFIER_PORT", "CLASSIFIER_GROUP",
    "CLASSIFIER_MODELS", "CLASSIFIER_INGEST_URL", "SEMANTIC_PORT", "SEMANTIC_GROUP",
    "FORECASTER_PORT", "FORECASTER_GROUP", "FORECASTER_QUEUES_FILE", "GATEWAY_PORT",
    "GATEWAY_QUEUES_FILE", "GATEWAY_CLASSIFIER_URL", "GATEWAY_FORECASTER_URL",
    "GATEWAY_SEMANTIC_URL", "GATEWAY_INGEST_URL", "INTAKE_MEMBER_ID",
}  # fmt: skip


def names(*classes: type[BaseSettings]) -> set[str]:
    """The variables that these settings are built from."""
    return {
        f"{each.model_config['env_prefix']}{field}".upper()
        for each in classes
        for field in each.model_fields
    }
