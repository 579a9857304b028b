"""`python -m services.forecaster`: serve (default) and backtest."""

import os
import sys
from collections.abc import Sequence

from shared.commands import dispatch

COMMANDS = {
    "serve": "count tickets from Kafka and publish forecasts until stopped (the default)",
    "backtest": "judge the forecasts on a file of series, as they would have been made",
}


def main(argv: Sequence[str] | None = None) -> int:
    """One subcommand; its exit code."""
    # Before numpy is loaded: several threads per small matrix make a forecast nine times dearer.
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(threads, "1")
    return dispatch("services.forecaster", __doc__, COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
