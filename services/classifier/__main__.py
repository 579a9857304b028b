"""`python -m services.classifier`: serve (default), train, retrain, evaluate, parked records."""

import os
import sys
from collections.abc import Sequence

from services.classifier.models.blas import choose_kernels, processor_flags
from shared.commands import dispatch

COMMANDS = {
    "serve": "label tickets from Kafka until stopped (the default)",
    "semantic": "look again at labelled tickets until stopped: better topics, near-duplicates",
    "train": "make a model from a file of labelled tickets",
    "retrain": "train anew from corrected tickets, and promote what is no worse",
    "evaluate": "judge a model on a file of labelled tickets",
    "parked": "list, show, replay or discard records that could not be labelled",
}


def main(argv: Sequence[str] | None = None) -> int:
    """One subcommand; its exit code."""
    choose_kernels(os.environ, processor_flags())  # before any subcommand imports numpy
    return dispatch("services.classifier", __doc__, COMMANDS, argv)


if __name__ == "__main__":
    sys.exit(main())
