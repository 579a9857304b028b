"""The error budget of a model that does not learn, and what Prometheus is told of any."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from services.classifier.domain.error_budget import TARGET_PRECISION, Calibration
from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import Labeller, Labelling, ModelIdentity
from shared import metrics


class FrozenLabeller:
    """A model that learns nothing, with the thresholds of the tickets held out from it."""

    def __init__(
        self, model: Labeller, calibration: Calibration, target: float = TARGET_PRECISION
    ) -> None:
        self._model = model
        self._judgement = Judgement(calibration, target=target)
        publish(self._judgement)

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    @property
    def judgement(self) -> Judgement:
        """What the hold-out says of it; no human's word changes that."""
        return self._judgement

    def label(self, texts: Sequence[str]) -> Labelling:
        """The model's scores, with thresholds."""
        found = self._model.label(texts)
        return replace(found, thresholds=self._judgement.thresholds(found.topic.classes))


@runtime_checkable
class _Head(Protocol):
    @property
    def calibration(self) -> Calibration: ...


@runtime_checkable
class _Calibrated(Protocol):
    @property
    def topic(self) -> _Head: ...


def calibration_of(model: Labeller) -> Calibration:
    """What its head of topics kept of the tickets held out from it; nothing where it has none."""
    if isinstance(model, _Calibrated) and isinstance(model.topic, _Head):
        return model.topic.calibration
    return Calibration()


def publish(judgement: Judgement) -> None:
    """Show the figures to Prometheus."""
    now, drifts = judgement.quality.now(), judgement.quality.drifts
    metrics.JUDGED.set(judgement.quality.judged)
    metrics.PREQUENTIAL.labels("accuracy").set(now.accuracy)
    metrics.PREQUENTIAL.labels("macro_f1").set(now.macro_f1)
    metrics.PREQUENTIAL.labels("majority_accuracy").set(now.majority_accuracy)
    metrics.DRIFT_TIMESTAMP.set(max((each.at for each in drifts if each.worse), default=0))
    metrics.BUDGET_COVERAGE.set(judgement.budget.coverage)
