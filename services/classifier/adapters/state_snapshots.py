"""Numbered states in the object store: plain values and arrays, checked by checksum, no code."""

import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from zipfile import BadZipFile

from services.classifier.adapters.artifact_store import (
    ArtifactStore,
    VersionTaken,
    checksums,
    differing,
    whole,
)
from services.classifier.adapters.model_files import decode_state, encode_state

log = logging.getLogger(__name__)

KEPT = 3
MANIFEST_FILE = "manifest.json"
Built = TypeVar("Built")


def _fits(_: object) -> bool:
    """Any state will do."""
    return True


class StateSnapshots:
    """States of one thing by position; those of others in the same store are left alone."""

    def __init__(self, store: ArtifactStore, prefix: str, base: str, form: int) -> None:
        """base: what a state belongs to; form: of its layout. A state of others is passed over."""
        self._store = store
        self._prefix = prefix
        self._base = base
        self._form = form

    def save(self, position: int, state: Mapping[str, Any]) -> None:
        """Save, and discard all but the latest few. Raises OSError when the store is full."""
        files = encode_state(state)
        manifest = {
            "format": self._form,
            "base": self._base,
            "offset": position,
            "files": checksums(files),
        }
        files[MANIFEST_FILE] = json.dumps(manifest, indent=2).encode() + b"\n"
        try:
            self._store.put(f"{self._prefix}{position:012d}", files)
        except VersionTaken:
            return  # another worker was first; it stood at the same position
        for version in self._versions()[:-KEPT]:
            self._store.discard(version)

    def latest(
        self, build: Callable[[dict[str, Any]], Built], fits: Callable[[Built], bool] = _fits
    ) -> Built | None:
        """What `build` makes of the latest sound state that fits; None without one.

        build: may raise LookupError, ValueError or TypeError for a state that is none. One that is
        unsound is passed over; one that does not fit would be in the way of its successors for ever
        and is discarded.
        """
        for version in reversed(self._versions()):
            try:
                built = build(self._state(version))
            except (OSError, LookupError, ValueError, TypeError, BadZipFile, EOFError) as fault:
                log.warning("snapshot %s is passed over: %r", version, fault)
                continue
            if fits(built):
                return built
            log.warning("snapshot %s belongs to another log and is discarded", version)
            self._store.discard(version)
        return None

    def _versions(self) -> list[str]:
        return [name for name in self._store.versions() if name.startswith(self._prefix)]

    def _state(self, version: str) -> dict[str, Any]:
        files = self._store.files(version)
        manifest = json.loads(whole(files[MANIFEST_FILE]))
        if manifest["format"] != self._form or manifest["base"] != self._base:
            raise ValueError("it belongs to another format or model")
        if name := differing(files, manifest["files"]):
            raise ValueError(f"the checksum of {name} differs from the manifest's")
        return decode_state(files)
