"""Which encoder this process has: the built-in one, unless a directory was named at its start."""

from pathlib import Path

from services.classifier.models.encoding.encoder import Encoder, shared_encoder


class _Chosen:
    """One for a process: vectors of two encoders must never meet."""

    encoder: Encoder | None = None


def choose_encoder(directory: Path | None) -> None:
    """Load the encoder of a directory for the whole process; None stands for the built-in one.

    Called before any model is loaded. Raises Misconfigured, see `onnx_directory`.
    """
    if directory is None:
        _Chosen.encoder = None
        return
    from services.classifier.models.encoding.onnx_directory import OnnxEncoder  # noqa: PLC0415

    _Chosen.encoder = OnnxEncoder(directory)


def named_encoder() -> Encoder | None:
    """The encoder of the directory that was named; None where none was."""
    return _Chosen.encoder


def chosen_encoder() -> Encoder:
    """What encodes in this process. Raises CarrierError where the built-in one cannot be loaded."""
    return _Chosen.encoder or shared_encoder()
