"""Where saved models are kept: a port, and the directory that implements it."""

import contextlib
import hashlib
import io
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, Protocol

from shared.errors import DeskstreamError, Misconfigured

VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
POINTER = "current"


class ArtifactMissing(Misconfigured):
    """No model is there to load; the message says how to make one."""

    code = "artifact-missing"


class ArtifactDamaged(Misconfigured):
    """A saved model is not what its manifest says; the message says what to do."""

    code = "artifact-damaged"


class VersionTaken(DeskstreamError):
    """A version never changes: saving under a name that exists is refused."""

    status = 409
    code = "version-taken"


# Of a file that is read or written in parts.
PART_BYTES: Final = 1 << 20
# Takes the next part of a file.
Take = Callable[[bytes], object]


class Streamed(Protocol):
    """A file that is made or read as it is written, each time the same; never held as a whole."""

    def write_to(self, take: Take) -> None: ...

    def open(self) -> BinaryIO:
        """To read from; the caller closes it."""
        ...


Content = bytes | Streamed


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a folder."""

    path: Path

    def write_to(self, take: Take) -> None:
        with self.open() as file:
            while part := file.read(PART_BYTES):
                take(part)

    def open(self) -> BinaryIO:
        return self.path.open("rb")


def opened(content: Content) -> BinaryIO:
    """To read from; the caller closes it."""
    return io.BytesIO(content) if isinstance(content, bytes) else content.open()


def whole(content: Content) -> bytes:
    """All of a file, for who needs it at once."""
    with opened(content) as file:
        return file.read()


def checksum(content: Content) -> str:
    """SHA-256 of a file, as hexadecimal digits."""
    digest = hashlib.sha256()
    _write(content, digest.update)
    return digest.hexdigest()


def checksums(files: Mapping[str, Content]) -> dict[str, str]:
    """Of every file by its name, as a manifest keeps them."""
    return {name: checksum(content) for name, content in files.items()}


def differing(files: Mapping[str, Content], sums: Mapping[str, str]) -> str | None:
    """The first file of another checksum; None where all agree. Raises LookupError."""
    return next((name for name, said in sums.items() if checksum(files[name]) != said), None)


class ArtifactStore(Protocol):
    """Immutable versions, each a set of named files, and one pointer to the version in use.

    Every operation is atomic: a reader sees all files of a version or none of it, and the old
    pointer or the new one.
    """

    def put(self, version: str, files: Mapping[str, Content]) -> None:
        """Save all files of a new version. Raises VersionTaken, ValueError for a bad name."""
        ...

    def get(self, version: str) -> dict[str, bytes]:
        """Every file of a version. Raises ArtifactMissing."""
        ...

    def files(self, version: str) -> Mapping[str, Content]:
        """The same, each read when it is asked for. Raises ArtifactMissing."""
        ...

    def versions(self) -> tuple[str, ...]:
        """All complete versions, in alphabetical order."""
        ...

    def discard(self, version: str) -> None:
        """Remove a version; nothing happens when it is not there."""
        ...

    def promote(self, version: str) -> None:
        """Point `current` at a version that exists. Raises ArtifactMissing."""
        ...

    def current(self) -> str | None:
        """The version in use; None when none was ever promoted."""
        ...


def checked_names(version: str, files: Mapping[str, Content]) -> None:
    """Raises ValueError for a name that could leave its folder or hide in it."""
    if not VERSION.fullmatch(version):
        raise ValueError(f"a version is letters, digits, '.', '_' and '-', not {version!r}")
    for name in files:
        if not FILE_NAME.fullmatch(name):
            raise ValueError(f"a file is named by letters, digits, '.', '_', '-', not {name!r}")


class LocalDirectory:
    """One folder per version and a pointer file, on a file system whose rename is atomic."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, version: str, files: Mapping[str, Content]) -> None:
        """Write beside, flush to disk, then rename into place."""
        checked_names(version, files)
        target = self._root / version
        if target.exists():
            raise VersionTaken(f"version {version} is already in {self._root}")
        self._root.mkdir(parents=True, exist_ok=True)
        # The leading dot keeps a half-written folder out of `versions`.
        scratch = Path(tempfile.mkdtemp(prefix=".writing-", dir=self._root))
        try:
            for name, content in files.items():
                _write_durably(scratch / name, content)
            scratch.chmod(0o755)
            scratch.rename(target)
        except OSError as fault:
            shutil.rmtree(scratch, ignore_errors=True)
            if target.exists():
                raise VersionTaken(f"version {version} is already in {self._root}") from fault
            raise
        _flush_directory(self._root)

    def get(self, version: str) -> dict[str, bytes]:
        """Read the folder of a version."""
        return {name: whole(file) for name, file in self.files(version).items()}

    def files(self, version: str) -> dict[str, Content]:
        """What is in the folder of a version."""
        folder = self._root / version
        if not VERSION.fullmatch(version) or not folder.is_dir():
            raise ArtifactMissing(f"there is no version {version!r} in {self._root}")
        return {path.name: StoredFile(path) for path in sorted(folder.iterdir())}

    def versions(self) -> tuple[str, ...]:
        """Folders whose name is a version."""
        if not self._root.is_dir():
            return ()
        names = (path.name for path in self._root.iterdir() if path.is_dir())
        return tuple(sorted(name for name in names if VERSION.fullmatch(name)))

    def discard(self, version: str) -> None:
        """Move the folder aside in one step, then delete it."""
        if not VERSION.fullmatch(version):
            return
        aside = self._root / f".discarded-{version}"
        # Another worker may discard the same version at the same moment.
        with contextlib.suppress(FileNotFoundError):
            (self._root / version).rename(aside)
        shutil.rmtree(aside, ignore_errors=True)

    def promote(self, version: str) -> None:
        """Replace the pointer file in one step."""
        if version not in self.versions():
            raise ArtifactMissing(f"there is no version {version!r} in {self._root} to promote")
        handle, name = tempfile.mkstemp(prefix=".pointing-", dir=self._root)
        os.close(handle)
        _write_durably(Path(name), f"{version}\n".encode())
        Path(name).chmod(0o644)
        Path(name).replace(self._root / POINTER)
        _flush_directory(self._root)

    def current(self) -> str | None:
        """What the pointer file names."""
        try:
            return (self._root / POINTER).read_text(encoding="utf-8").strip() or None
        except FileNotFoundError:
            return None


def _write(content: Content, take: Take) -> None:
    if isinstance(content, bytes):
        take(content)
    else:
        content.write_to(take)


def _write_durably(path: Path, content: Content) -> None:
    with path.open("wb") as file:
        _write(content, file.write)
        file.flush()
        os.fsync(file.fileno())


def _flush_directory(path: Path) -> None:
    # A rename survives a power cut only once its directory is on disk.
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
