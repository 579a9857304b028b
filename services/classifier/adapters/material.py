"""The tickets a model was first trained on, kept so that it can be trained again with new ones."""

import contextlib
import gzip
import hashlib
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import orjson

from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactStore,
    VersionTaken,
)

# Beside the models.
FOLDER = ".material"
FILE = "tickets.json.gz"


class Row(NamedTuple):
    """A text with its labels; None where none was given."""

    text: str
    topic: str | None
    priority: str | None


def keep(store: ArtifactStore, rows: Iterable[Row]) -> str:
    """Save rows under the digest of their content, which is answered; the same rows once."""
    lines = b"\n".join(orjson.dumps([row.text, row.topic, row.priority]) for row in rows)
    name = hashlib.sha256(lines).hexdigest()
    # Taken: another model was trained on the very same tickets.
    with contextlib.suppress(VersionTaken):
        store.put(name, {FILE: gzip.compress(lines, mtime=0)})
    return name


def read(store: ArtifactStore, name: str) -> Iterator[Row]:
    """The rows in their order. Raises ArtifactMissing, ArtifactDamaged."""
    try:
        lines = gzip.decompress(store.get(name)[FILE])
    except (KeyError, OSError, EOFError) as fault:
        raise ArtifactDamaged(f"training material {name[:12]} cannot be read: {fault}") from fault
    if hashlib.sha256(lines).hexdigest() != name:
        raise ArtifactDamaged(f"training material {name[:12]} is not what its name says")
    return (Row(*orjson.loads(line)) for line in lines.split(b"\n") if line)
