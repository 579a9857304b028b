"""Snapshots of the fold: learned models by log offset, checked by checksum, without code."""

import hashlib
import json
import logging
from collections.abc import Iterator
from zipfile import BadZipFile

from services.classifier.adapters.artifact_store import ArtifactStore, VersionTaken
from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Base, Fold
from services.classifier.models.fast.promotion import Promoted, no_store

log = logging.getLogger(__name__)

FORMAT = 2
KEPT = 3
MANIFEST_FILE = "manifest.json"


class Snapshots:
    """Folds of one trained model; those of others in the same store are left alone."""

    def __init__(
        self,
        store: ArtifactStore,
        base: Base,
        digest: str,
        encoder: Encoder,
        promoted: Promoted = no_store,
    ) -> None:
        """`digest`: of the trained model that the fold begins with and `base` loads."""
        self._store = store
        self._base = base
        self._digest = digest
        self._prefix = f"{digest[:12]}-"
        self._encoder = encoder
        self._promoted = promoted

    def save(self, fold: Fold) -> None:
        """Save, and discard all but the latest few. Raises OSError when the store is full.

        A fold that wants a promoted model is not saved: a restart must read the promotion again.
        """
        if fold.unmet is not None:
            return
        files = encode_state(fold.state())
        sums = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
        manifest = {"format": FORMAT, "base": self._digest, "offset": fold.offset, "files": sums}
        files[MANIFEST_FILE] = json.dumps(manifest, indent=2).encode() + b"\n"
        try:
            self._store.put(f"{self._prefix}{fold.offset:012d}", files)
        except VersionTaken:
            return  # another worker was first; it folded the same log
        for version in self._versions()[:-KEPT]:
            self._store.discard(version)

    def latest(self, end: int) -> Fold | None:
        """The newest sound snapshot not beyond `end`, the log's end; None without one."""
        for fold in self._sound():
            if fold.offset <= end:
                return fold
            log.warning("a snapshot is at %s, but the log ends at %s", fold.offset, end)
        return None

    def _sound(self) -> Iterator[Fold]:
        for version in reversed(self._versions()):
            try:
                yield self._load(version)
            except (OSError, LookupError, ValueError, TypeError, BadZipFile, EOFError) as fault:
                log.warning("snapshot %s is passed over: %r", version, fault)

    def _versions(self) -> list[str]:
        return [name for name in self._store.versions() if name.startswith(self._prefix)]

    def _load(self, version: str) -> Fold:
        files = self._store.get(version)
        manifest = json.loads(files[MANIFEST_FILE])
        if manifest["format"] != FORMAT or manifest["base"] != self._digest:
            raise ValueError("it belongs to another format or model")
        for name, expected in manifest["files"].items():
            if hashlib.sha256(files[name]).hexdigest() != expected:
                raise ValueError(f"the checksum of {name} differs from the manifest's")
        return Fold.from_state(decode_state(files), self._base, self._encoder, self._promoted)
