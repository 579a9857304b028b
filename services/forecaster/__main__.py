"""`python -m services.forecaster`: serve (default) and backtest."""

import sys
from collections.abc import Sequence

from shared.commands import dispatch

COMMANDS = {
    "serve": "count tickets from Kafka and publish forecasts until stopped (the default)",
    "backtest": "judge the forecasts on a file of series, as they would have been made",
}


def main(argv: Sequence[str] | None = None) -> int:
    """One subcommand; its exit code."""
    return dispatch("services.forecaster", __doc__, COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
