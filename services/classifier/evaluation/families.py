"""The model families by name, made as the service makes them."""

from collections.abc import Callable, Sequence
from itertools import count

from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation.cascaded import CascadedClassifier
from services.classifier.evaluation.folded import FoldedClassifier
from services.classifier.evaluation.online import OnlineClassifier, Report
from services.classifier.evaluation.tables import UnusableData
from services.classifier.models.batch.classifier import BatchClassifier
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.semantic.usual import UsualCentre
from services.classifier.models.semantic.zero import ZeroShot

NAMES = ("fast", "batch")
BATCH_STEPS = 4


def maker(
    name: str, seed: int, semantic_share: float, report: Report
) -> Callable[[], TextClassifier]:
    """What makes a fresh, unfitted model of this family, under the semantic stage if asked for."""
    if name == "batch":
        if semantic_share:
            raise UnusableData("--semantic stands on the fast model; leave out --model batch")
        return lambda: _batch(seed, report)

    encoder = DeferredEncoder()
    if semantic_share:
        return lambda: CascadedClassifier(share=semantic_share, seed=seed, encoder=encoder)
    return lambda: FoldedClassifier(seed=seed, encoder=encoder)


def _batch(seed: int, report: Report) -> BatchClassifier:
    steps = count()
    return BatchClassifier(seed=seed, report=lambda step: report(step, next(steps), BATCH_STEPS))


def onlooker(seed: int) -> CascadedClassifier:
    """The fast model under the semantic stage, as the radar is told of its doubts."""
    return CascadedClassifier(seed=seed, encoder=DeferredEncoder())


def usual_centre() -> UsualCentre:
    """From where the radar is told its vectors are seen."""
    return UsualCentre(DeferredEncoder())


def zero_shot(names: Sequence[str]) -> TextClassifier:
    """The classifier that knows nothing but the names of the classes."""
    return ZeroShot(names)


def online(model: TextClassifier, name: str) -> OnlineClassifier:
    """The same model as a learner of corrections. UnusableData where its family is none."""
    if not isinstance(model, OnlineClassifier):
        raise UnusableData(
            f"the {name} model is fitted in one go and does not learn from single corrections; "
            f"--stream and --adapt need --model fast"
        )
    return model


def share_sent(model: TextClassifier) -> float:
    """The share of tickets that the semantic stage was asked about since the fit."""
    return model.semantic_share if isinstance(model, CascadedClassifier) else 0.0
