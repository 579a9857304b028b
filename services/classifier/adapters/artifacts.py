"""Saving and loading a labeller: plain values, a manifest with checksums, no pickle."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactStore,
    Content,
    LocalDirectory,
    checksums,
    differing,
    whole,
)
from services.classifier.adapters.model_files import Saveable, UnreadableModel, decode, encode
from services.classifier.domain.labelling import Labeller, ModelIdentity
from shared.clock import Clock, utc_now

FORMAT = 1
MANIFEST_FILE = "manifest.json"
HOW_TO_TRAIN = (
    "make one with `python -m services.classifier train --data FILE --text COLUMN --label COLUMN"
    " --models {directory}`"
)
Figures = Mapping[str, float | int | str]


class Manifest(BaseModel):
    """What is in a version's folder, and how good the model was on tickets it had not seen.

    log_offset: it learned the corrections before it; material: name of the tickets that it was
    first trained on, None where they were not kept.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int
    name: str
    version: str
    digest: str
    created_at: str
    topics: tuple[str, ...]
    priorities: tuple[str, ...]
    figures: dict[str, float | int | str]
    files: dict[str, str]
    log_offset: int = 0
    material: str | None = None

    @property
    def identity(self) -> ModelIdentity:
        """As the saved model would say it."""
        return ModelIdentity(self.name, self.version, self.digest, self.log_offset)


class _Classes(Protocol):
    @property
    def classes(self) -> tuple[str, ...]: ...


class TwoHeads(Saveable, Protocol):
    """What is saved: a labeller of any family, with the classes of its heads."""

    @property
    def topic(self) -> _Classes: ...

    @property
    def priority(self) -> _Classes | None: ...


def save(
    store: ArtifactStore,
    labeller: TwoHeads,
    figures: Figures,
    clock: Clock = utc_now,
    *,
    log_offset: int = 0,
    material: str | None = None,
) -> ModelIdentity:
    """Save a new version (time and digest make its name) and answer its identity.

    It is not used until it is promoted: `store.promote(identity.version)`.
    """
    now = clock()
    version = f"{now:%Y%m%dT%H%M%SZ}-{labeller.identity.digest[:12]}"
    files = encode(labeller)
    manifest = Manifest(
        format=FORMAT,
        name=labeller.identity.name,
        version=version,
        digest=labeller.identity.digest,
        created_at=now.isoformat(),
        topics=labeller.topic.classes,
        priorities=labeller.priority.classes if labeller.priority else (),
        figures=dict(figures),
        files=checksums(files),
        log_offset=log_offset,
        material=material,
    )
    described = orjson.dumps(manifest.model_dump(), option=orjson.OPT_INDENT_2)
    store.put(version, {**files, MANIFEST_FILE: described + b"\n"})
    return manifest.identity


def load(store: ArtifactStore, version: str) -> Labeller:
    """Load a version after checking every byte of it.

    Raises ArtifactMissing and ArtifactDamaged (a checksum differs, a file lacks or is surplus,
    a type that is not trusted, a content that is not what its digest says).
    """
    files = store.files(version)
    manifest = _manifest(version, files)
    if name := differing(files, manifest.files):
        raise _damaged(version, f"the checksum of {name} differs from the manifest's")
    try:
        labeller = decode(manifest.name, version, files)
    except UnreadableModel as fault:
        raise _damaged(version, fault.reason) from fault
    if labeller.identity.digest != manifest.digest:
        raise _damaged(version, "its content is not what its digest says")
    return labeller


def read_manifest(store: ArtifactStore, version: str) -> Manifest:
    """The manifest alone, as `load` would believe it. Raises like `load`."""
    return _manifest(version, store.files(version))


def manifests(store: ArtifactStore) -> list[Manifest]:
    """Of every saved model that can be trusted, the oldest first."""
    found = []
    for version in store.versions():
        with contextlib.suppress(ArtifactMissing, ArtifactDamaged):
            found.append(read_manifest(store, version))
    return sorted(found, key=lambda each: each.created_at)


def load_current(directory: Path) -> Labeller:
    """The promoted model of a local directory; the service calls this at its start.

    Raises ArtifactMissing when none was ever trained there, ArtifactDamaged when it cannot be
    trusted; both say what to do.
    """
    store = LocalDirectory(directory)
    version = store.current()
    if version is None:
        how = HOW_TO_TRAIN.format(directory=directory)
        raise ArtifactMissing(f"there is no model in {directory}; {how}")
    return load(store, version)


def _manifest(version: str, files: Mapping[str, Content]) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(whole(files[MANIFEST_FILE]))
    except KeyError as fault:
        raise _damaged(version, f"{MANIFEST_FILE} is missing") from fault
    except ValidationError as fault:
        raise _damaged(version, f"{MANIFEST_FILE} cannot be read") from fault
    if manifest.format != FORMAT or manifest.version != version:
        raise _damaged(version, "its manifest belongs to another version or format")
    if set(manifest.files) != set(files) - {MANIFEST_FILE}:
        raise _damaged(version, "its files are not those that the manifest lists")
    return manifest


def _damaged(version: str, what: str) -> ArtifactDamaged:
    return ArtifactDamaged(
        f"model {version} was not loaded: {what}. Promote an earlier version or train again; "
        f"do not edit a model's folder"
    )
