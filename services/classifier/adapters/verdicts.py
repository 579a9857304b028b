"""What every round of training came to, promoted or refused, kept beside the models."""

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from services.classifier.adapters.artifact_store import ArtifactMissing, ArtifactStore, VersionTaken

log = logging.getLogger(__name__)

# Beside the models.
FOLDER = ".verdicts"
FILE = "verdict.json"
KEPT = 200


class Verdicts:
    """The latest rounds, oldest first; plain values as `retrain --json` prints them."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store

    def add(self, at: datetime, family: str, verdict: Mapping[str, Any]) -> None:
        """Keep one round, and let the oldest go. Raises OSError when the store is full."""
        name = f"{at:%Y%m%dT%H%M%S.%f}-{family}"
        content = orjson.dumps({"at": at, **verdict}, option=orjson.OPT_INDENT_2)
        try:
            self._store.put(name, {FILE: content + b"\n"})
        except VersionTaken:
            log.warning("two rounds of %s ended at the same microsecond", family)
        for old in self._store.versions()[:-KEPT]:
            self._store.discard(old)

    def all(self) -> list[dict[str, Any]]:
        """Every round that can be read."""
        found = []
        for name in self._store.versions():
            try:
                found.append(orjson.loads(self._store.get(name)[FILE]))
            except (ArtifactMissing, KeyError, orjson.JSONDecodeError):
                log.warning("the verdict %s cannot be read", name)
        return found
