"""Project labels into Redis until stopped. Configuration: FORECASTER_*, KAFKA_*, REDIS_*."""

import argparse
import asyncio
import sys

import uvloop

from services.forecaster.app import create_worker
from services.forecaster.settings import ForecasterSettings
from shared import logs
from shared.clock import utc_now
from shared.errors import DeskstreamError
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import IntakeSettings


def configure(parser: argparse.ArgumentParser) -> None:
    """No options: a service is configured by its environment."""
    parser.epilog = "FORECASTER_QUEUES_FILE: the queue directory; FORECASTER_PORT: internal HTTP."


def execute(_: argparse.Namespace) -> int:
    """Run until SIGTERM; 1 when it cannot start, with one sentence why."""
    # A third off the CPU of a forecast that was made before, most of which is asking Redis.
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
    settings = ForecasterSettings()
    logs.configure("forecaster", settings.log_level)
    try:
        worker = create_worker(
            settings, KafkaSettings(), RedisSettings(), IntakeSettings(), utc_now
        )
        worker.run()
    except DeskstreamError as error:
        print(error.detail, file=sys.stderr)
        return 1
