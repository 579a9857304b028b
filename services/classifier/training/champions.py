"""The models in use: what a challenger has to beat, as they would answer at the cut."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from services.classifier.adapters import material as kept
from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactMissing,
    ArtifactStore,
)
from services.classifier.adapters.artifacts import TwoHeads, load, read_manifest
from services.classifier.domain.labelling import Labeller, ModelIdentity
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import NAME, FastLabeller
from services.classifier.models.fast.untrained import VERSION, untrained
from services.classifier.training.challenger import Judged, judge, judged_heads
from services.classifier.training.examples import Example, HeldOut
from services.classifier.training.reading import CorrectionsRead
from shared.errors import Misconfigured
from shared.events import ModelPromoted

_MOMENT = datetime(2000, 1, 1, tzinfo=UTC)


class Champions:
    """The latest promoted model of each family; before any promotion the one in use."""

    def __init__(
        self,
        models: ArtifactStore,
        material: ArtifactStore,
        corrections: CorrectionsRead,
        encoder: Encoder | None,
    ) -> None:
        """Raises ArtifactMissing, ArtifactDamaged where a model in use cannot be had."""
        self._models = models
        self._material = material
        self._corrections = corrections
        self._encoder = encoder
        self._champions = self._found()

    @property
    def families(self) -> tuple[str, ...]:
        """Those that there is a champion of."""
        return tuple(self._champions)

    def learned(self, family: str) -> int:
        """The offset before which this family's champion has learned the corrections."""
        return self._champion(family).identity.log_offset

    def identity(self, family: str) -> ModelIdentity:
        """Who it is."""
        return self._champion(family).identity

    def named(self, family: str) -> str | None:
        """The name of the tickets it was first trained on; None where they were not kept."""
        return self._champion(family).material

    def before(self, family: str, cut: int) -> Labeller:
        """The champion with the corrections before the cut and none after it.

        A fast one learns them by the very fold of the workers, from which undone ones are missing.
        """
        found = self._load(self.identity(family).version)
        if not isinstance(found, FastLabeller):
            return found
        learned = ModelPromoted(
            event_id="champion", received_at=_MOMENT, actor="retrain",
            version=found.identity.version, digest=found.identity.digest,
            log_offset=self.learned(family),
        )  # fmt: skip
        fold = Fold(
            lambda: found, found,
            ledger=self._corrections.ledger_before(cut), topics=self._corrections.topics,
            offset=cut, promoted=lambda _: found,
        )  # fmt: skip
        fold.apply(LogRecord(cut, learned))
        fold.refit()
        return found

    def material(self, family: str) -> list[Example]:
        """The tickets it was first trained on; where they were not kept, what it remembers."""
        name = self.named(family)
        if name is not None:
            return [_example(row) for row in kept.read(self._material, name)]
        found = self._load(self.identity(family).version)
        values: dict[str, dict[str, str]] = {}
        if isinstance(found, FastLabeller):
            for head_name, head in found.heads().items():
                for text, label in head.remembered:
                    values.setdefault(text, {})[head_name] = label
        return [Example(text, known) for text, known in values.items()]

    def _champion(self, family: str) -> "_Champion":
        if family in self._champions:
            return self._champions[family]
        if family == "batch":
            # What is to be a reference must be no worse than the model that serves.
            return self._champions[NAME]
        raise Misconfigured(
            "the model in use is a batch model, which learns from no corrections; train a fast one "
            "first (`train --model fast`), or retrain --model batch"
        )

    def _found(self) -> dict[str, "_Champion"]:
        current = self._models.current()
        found: dict[str, _Champion] = {}
        if current is None:
            # What workers begin with where nobody ever trained a model.
            found[NAME] = _Champion(untrained().identity, None)
        lost: ArtifactMissing | ArtifactDamaged | None = None
        promoted = [each.version for each in self._corrections.promotions]
        for version in [*([current] if current else []), *promoted]:
            try:
                manifest = read_manifest(self._models, version)
            except (ArtifactMissing, ArtifactDamaged) as fault:
                lost = fault
                continue
            found[manifest.name] = _Champion(manifest.identity, manifest.material)
            # A later model took the place of whatever was lost before it.
            lost = None if manifest.name == NAME else lost
        if lost is not None:
            raise lost
        return found

    def _load(self, version: str) -> Labeller:
        return untrained(self._encoder) if version == VERSION else load(self._models, version)


@dataclass(frozen=True, slots=True)
class _Champion:
    """Who it is, with the offset before which it learned; what it was first trained on."""

    identity: ModelIdentity
    material: str | None


class Reference:
    """The batch model: it does not learn online, and tells how good a model could be."""

    @staticmethod
    def fitted(
        examples: Sequence[Example],
        champion: Labeller,
        held_out: Mapping[str, HeldOut],
        seed: int,
        report: Callable[[str], None],
    ) -> tuple[TwoHeads, dict[str, Judged]]:
        """Trained and judged, at its temperature. ValueError with fewer than two classes."""
        # Loads scikit-learn, five seconds of CPU that a fast model never needs.
        from services.classifier.models.batch.classifier import BatchLabeller  # noqa: PLC0415

        topics = [each.values.get("topic") for each in examples]
        priorities = [each.values.get("priority") for each in examples]
        told = any(priorities)
        found = BatchLabeller.train(
            [each.text for each in examples], topics, priorities if told else None,
            seed=seed, report=report,
        )  # fmt: skip
        heads = {"topic": found.topic, "priority": found.priority}
        judged = {}
        for name in judged_heads(champion, held_out):
            head = heads[name]
            if head is not None:
                judged[name] = judge(name, champion, found, held_out[name], seed)
                head.sharpen(1.0 / judged[name].temperature)
        return found.renamed("unsaved"), judged


def _example(row: kept.Row) -> Example:
    values = {"topic": row.topic, "priority": row.priority}
    return Example(row.text, {name: said for name, said in values.items() if said is not None})
