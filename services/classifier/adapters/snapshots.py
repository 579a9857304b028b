"""Snapshots of the fold: learned models by log offset."""

from services.classifier.adapters.artifact_store import ArtifactStore
from services.classifier.adapters.correction_log import LogSoFar
from services.classifier.adapters.state_snapshots import StateSnapshots
from services.classifier.domain.log_records import Place
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Base, Fold
from services.classifier.models.fast.promotion import Promoted, no_store

FORMAT = 5


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
        self._states = StateSnapshots(store, f"{digest[:12]}-", digest, FORMAT)
        self._base = base
        self._encoder = encoder
        self._promoted = promoted

    def save(self, fold: Fold) -> None:
        """Save, and discard all but the latest few. Raises OSError when the store is full.

        A fold that wants a promoted model is not saved: a restart must read the promotion again.
        """
        if fold.unmet is None:
            self._states.save(fold.offset, fold.state())

    def latest(self, written: LogSoFar) -> Fold | None:
        """The newest sound snapshot that this log continues; None without one."""
        return self._states.latest(
            lambda state: Fold.from_state(state, self._base, self._encoder, self._promoted),
            lambda fold: written.continues(Place(fold.offset, fold.last)),
        )
