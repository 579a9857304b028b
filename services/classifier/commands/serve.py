"""Label tickets from Kafka until stopped. Configuration: CLASSIFIER_*, KAFKA_*, INTAKE_*."""

import argparse
import sys

from services.classifier.adapters.serving_model import load_serving
from services.classifier.app import create_worker
from services.classifier.models.allocation import map_large_arrays
from services.classifier.models.encoding.choice import choose_encoder
from services.classifier.settings import ClassifierSettings
from shared import logs
from shared.clock import utc_now
from shared.errors import DeskstreamError
from shared.settings import KafkaSettings
from shared.streaming import IntakeSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """No options: a service is configured by its environment."""
    parser.epilog = "CLASSIFIER_MODELS: the directory of models; CLASSIFIER_PORT: internal HTTP."


def execute(_: argparse.Namespace) -> int:
    """Run until SIGTERM; 1 when it cannot start, with one sentence why."""
    map_large_arrays()
    settings = ClassifierSettings()
    logs.configure("classifier", settings.log_level)
    try:
        choose_encoder(settings.encoder)
        # Not named here: what the log has made of it since takes its place in the memory.
        worker = create_worker(
            settings, KafkaSettings(), IntakeSettings(), load_serving(settings.models), utc_now
        )
        worker.run()
    except DeskstreamError as error:
        print(error.detail, file=sys.stderr)
        return 1
