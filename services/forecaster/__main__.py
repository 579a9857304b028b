"""`python -m services.forecaster`: serve (default) and backtest."""

import argparse
import importlib
import sys
from collections.abc import Sequence

# Imported only when named: a backtest needs no broker client, serving no progress bars.
COMMANDS = {
    "serve": "count tickets from Kafka and publish forecasts until stopped (the default)",
    "backtest": "judge the forecasts on a file of series, as they would have been made",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Dispatch to one subcommand; each module has `configure(parser)` and `execute(args)`."""
    parser = argparse.ArgumentParser(prog="python -m services.forecaster", description=__doc__)
    parser.add_argument(
        "command",
        nargs="?",
        default="serve",
        choices=COMMANDS,
        metavar="COMMAND",
        help="; ".join(f"{name}: {text}" for name, text in COMMANDS.items()),
    )
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = parser.parse_args(words[:1]).command
    module = importlib.import_module(f"services.forecaster.commands.{chosen}")
    sub = argparse.ArgumentParser(
        prog=f"python -m services.forecaster {chosen}", description=module.__doc__
    )
    module.configure(sub)
    return int(module.execute(sub.parse_args(words[1:])))


if __name__ == "__main__":
    sys.exit(main())
