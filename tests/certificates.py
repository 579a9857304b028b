"""Certificates of one's own, made by openssl: an authority and whom it signed."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Certificate:
    """Two files in PEM."""

    file: Path
    key: Path


def authority(folder: Path, name: str) -> Certificate:
    """A certificate that may sign others."""
    return _made(folder, name, [])


def signed(folder: Path, name: str, by: Certificate) -> Certificate:
    """A certificate of a server at 127.0.0.1, or of a client."""
    options: list[str | Path] = [
        "-CA",
        by.file,
        "-CAkey",
        by.key,
        "-addext",
        "basicConstraints=critical,CA:FALSE",
    ]
    return _made(folder, name, [*options, "-addext", "subjectAltName=IP:127.0.0.1"])


def _made(folder: Path, name: str, options: list[str | Path]) -> Certificate:
    made = Certificate(folder / f"{name}.pem", folder / f"{name}.key")
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-days", "2", "-subj", f"/CN={name}",  # noqa: S607
         "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-keyout", made.key, "-out", made.file, *options],
        check=True, capture_output=True,
    )  # fmt: skip
    return made
