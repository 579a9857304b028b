"""Look again at labelled tickets until stopped. Configuration: SEMANTIC_*, RADAR_*, CLASSIFIER_*.

Better topics and near-duplicates follow the first labels on tickets.labelled.v1.
"""

import argparse
import os
import sys
from functools import partial
from typing import Final

from services.classifier.adapters.serving_model import load_serving
from services.classifier.models.allocation import map_large_arrays
from services.classifier.models.encoding.choice import choose_encoder
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.semantic.app import create_worker
from services.classifier.semantic.radar import RadarSettings, radar_extension
from services.classifier.semantic.settings import SemanticSettings
from services.classifier.settings import ClassifierSettings
from shared import logs
from shared.clock import utc_now
from shared.errors import DeskstreamError, Misconfigured
from shared.settings import KafkaSettings
from shared.streaming import IntakeSettings

# The hot path goes first wherever the two share a core.
_NICENESS: Final = 10
# Batches are waited for anyway, and one large poll costs less than many small ones.
_POLL_BYTES: Final = 1 << 18
_POLL_MS: Final = 250


def configure(parser: argparse.ArgumentParser) -> None:
    """No options: a service is configured by its environment."""
    parser.epilog = (
        "SEMANTIC_PORT: internal HTTP; SEMANTIC_SHARE: of the tickets, the least sure; "
        "SEMANTIC_CPU_SHARE: of a core; CLASSIFIER_MODELS: the directory of models."
    )


def execute(_: argparse.Namespace) -> int:
    """Run until SIGTERM; 1 when it cannot start, with one sentence why."""
    map_large_arrays()
    os.nice(_NICENESS)
    settings, classifier = SemanticSettings(), ClassifierSettings()
    logs.configure("semantic", settings.log_level)
    try:
        choose_encoder(classifier.encoder)
        model = load_serving(classifier.models)
        if not isinstance(model, FastLabeller):
            raise Misconfigured(
                f"model {model.identity.version} is a batch model, which knows no second look; "
                f"train one with --model fast"
            )
        kafka = KafkaSettings()
        radar = partial(radar_extension, RadarSettings(), classifier, kafka)
        worker = create_worker(
            settings,
            classifier,
            kafka=kafka,
            intake=IntakeSettings(fetch_bytes=_POLL_BYTES, fetch_wait_ms=_POLL_MS),
            model=model,
            clock=utc_now,
            extensions=[radar],
        )
        worker.run()
    except DeskstreamError as error:
        print(error.detail, file=sys.stderr)
        return 1
