"""`python -m services.classifier`: serve (default), train, evaluate and the parked records."""

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from services.classifier.models.blas import choose_kernels, processor_flags

# Imported only when named: `parked list` must not wait for scikit-learn and numba.
COMMANDS = {
    "serve": "label tickets from Kafka until stopped (the default)",
    "train": "make a model from a file of labelled tickets",
    "evaluate": "judge a model on a file of labelled tickets",
    "parked": "list, show, replay or discard records that could not be labelled",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Dispatch to one subcommand; each module has `configure(parser)` and `execute(args)`."""
    choose_kernels(os.environ, processor_flags())  # before any subcommand imports numpy
    parser = argparse.ArgumentParser(prog="python -m services.classifier", description=__doc__)
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
    module = importlib.import_module(f"services.classifier.commands.{chosen}")
    sub = argparse.ArgumentParser(
        prog=f"python -m services.classifier {chosen}", description=module.__doc__
    )
    module.configure(sub)
    return int(module.execute(sub.parse_args(words[1:])))


if __name__ == "__main__":
    sys.exit(main())
