"""The model that a worker starts with: the promoted one or, before the first, an untrained one."""

import logging
from pathlib import Path

from services.classifier.adapters.artifact_store import ArtifactDamaged, LocalDirectory
from services.classifier.adapters.artifacts import HOW_TO_TRAIN, load, load_current
from services.classifier.domain.labelling import Labeller
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.fast.untrained import UNSORTED, VERSION, untrained

log = logging.getLogger(__name__)


def load_serving(directory: Path) -> Labeller:
    """The promoted model of a local directory, or the untrained one where none ever was there.

    Raises ArtifactDamaged when the promoted one cannot be trusted, ArtifactMissing where there are
    models but none is promoted; both say what to do.
    """
    store = LocalDirectory(directory)
    if store.current() is not None or store.versions():
        return load_current(directory)
    log.warning(
        "there is no model in %s: every ticket is %r until topics are named or tickets corrected; "
        "to start with more, %s",
        directory, UNSORTED, HOW_TO_TRAIN.format(directory=directory),
    )  # fmt: skip
    return untrained(DeferredEncoder())


def load_learner(directory: Path, version: str) -> FastLabeller:
    """This version afresh, as corrections are learned by it. Raises as `load` does."""
    if version == VERSION:
        return untrained(DeferredEncoder())
    found = load(LocalDirectory(directory), version)
    if not isinstance(found, FastLabeller):
        raise ArtifactDamaged(f"model {version} is no longer a fast one")
    return found
