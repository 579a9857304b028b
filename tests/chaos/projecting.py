"""The forecaster with the suite's clock: `python -m tests.chaos.projecting`."""

import sys

from services.forecaster.app import create_worker
from services.forecaster.settings import ForecasterSettings
from shared import logs
from shared.settings import KafkaSettings, RedisSettings
from shared.streaming import IntakeSettings
from tests.chaos.labelling import chosen_clock


def main() -> int:
    """Serve until SIGTERM."""
    logs.configure("forecaster")
    worker = create_worker(
        ForecasterSettings(), KafkaSettings(), RedisSettings(), IntakeSettings(), chosen_clock()
    )
    return worker.run()


if __name__ == "__main__":
    sys.exit(main())
