"""Trained models as the correction log promotes them, and what happens where one is missing."""

import asyncio
import logging
from collections.abc import Callable

from mode import Service

from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactStore,
)
from services.classifier.adapters.artifacts import load, read_manifest
from services.classifier.models.fast.promotion import ModelUnavailable
from services.classifier.models.fast.serving import NAME, FastLabeller
from shared import metrics
from shared.events import ModelPromoted
from shared.streaming.watchdog import die

log = logging.getLogger(__name__)

LOOK_SECONDS = 15.0


class PromotedModels:
    """What a Fold asks for the model of a promotion; counts and logs what came of it."""

    def __init__(self, store: ArtifactStore) -> None:
        self._store = store
        self._missing: ModelPromoted | None = None

    def __call__(self, event: ModelPromoted) -> FastLabeller | None:
        """The promoted model afresh; None for one of another family, a mere reference.

        Raises ModelUnavailable when it is missing, damaged or not the one that was promoted.
        """
        try:
            found = self._found(event)
        except ModelUnavailable as fault:
            self._missing = event
            metrics.PROMOTIONS.labels("unavailable").inc()
            log.error("promoted model %s: %s", event.version, fault.reason)  # noqa: TRY400
            raise
        metrics.PROMOTIONS.labels("taken" if found else "reference").inc()
        log.info("model %s is promoted", event.version)
        return found

    def arrived(self) -> bool:
        """Whether what was last missing is there and sound by now."""
        if self._missing is None:
            return False
        try:
            self._found(self._missing)
        except ModelUnavailable:
            return False
        return True

    def _found(self, event: ModelPromoted) -> FastLabeller | None:
        try:
            manifest = read_manifest(self._store, event.version)
            if manifest.digest != event.digest:
                raise ModelUnavailable(
                    f"{event.digest[:12]} was promoted, but the store has {manifest.digest[:12]}"
                )
            if manifest.name != NAME:
                return None
            found = load(self._store, event.version)
        except (ArtifactMissing, ArtifactDamaged) as fault:
            raise ModelUnavailable(fault.detail) from fault
        except OSError as fault:
            raise ModelUnavailable(f"it cannot be read: {fault}") from fault
        if not isinstance(found, FastLabeller):
            raise ModelUnavailable(f"its manifest says {manifest.name}, its content does not")
        return found


class PromotionWatch(Service):  # type: ignore[misc]
    """Ends a process that answers from an old model once the promoted one can be had.

    What it learned meanwhile stands on the wrong model. Its supervisor starts it again, and from
    the last snapshot before the promotion it comes to the very answers of the other workers.
    """

    def __init__(self, models: PromotedModels, unmet: Callable[[], str | None]) -> None:
        """`unmet`: why the fold lacks a promoted model; None while it lacks none."""
        super().__init__()
        self._models = models
        self._unmet = unmet

    @Service.task  # type: ignore[untyped-decorator]
    async def _look(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            if self._unmet() is None:
                continue
            if await asyncio.to_thread(self._models.arrived):
                die("the promoted model is there now; a new process takes it up")
