"""`--encoder`, as `train` and `evaluate` have it."""

import argparse
import os
from pathlib import Path


def add_encoder_option(parser: argparse.ArgumentParser) -> None:
    """The option that names a directory."""
    parser.add_argument(
        "--encoder",
        type=Path,
        metavar="DIRECTORY",
        help="encode by its model.onnx, tokenizer.json and encoder.json "
        "(default: $CLASSIFIER_ENCODER, else the built-in encoder)",
    )


def choose_named_encoder(args: argparse.Namespace) -> None:
    """Load what was named for this process. Raises Misconfigured where it cannot be used."""
    from services.classifier.models.encoding.choice import choose_encoder  # noqa: PLC0415 - loads numba

    named = os.environ.get("CLASSIFIER_ENCODER")
    choose_encoder(args.encoder or (Path(named) if named else None))
