"""Fitting a challenger, setting its temperature on the newest tickets, and judging it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from services.classifier.domain.labelling import HeadScores, Labeller, Probabilities
from services.classifier.evaluation.gate import FEWEST_TICKETS, Verdict, decide
from services.classifier.evaluation.judging import BATCH
from services.classifier.evaluation.metrics import Answers
from services.classifier.models.calibration import sharpness
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.training.examples import Example, HeldOut

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Judged:
    """One head of the challenger beside the champion's, on the same held-out tickets.

    ece: of the challenger, in expectation over what the tickets stand for; temperature: what its
    logits were divided by on top of what its own fit chose.
    """

    verdict: Verdict
    held_out: int
    decided: int
    corrected_share: float
    ece: float
    temperature: float


def fit_fast(
    examples: Sequence[Example],
    champion: FastLabeller,
    heads: Sequence[str],
    *,
    seed: int,
    encoder: Encoder | None,
    report: Report,
) -> FastLabeller:
    """Heads of these names learned from scratch, the others the champion's.

    Raises ValueError where the examples of a head are of fewer than two classes.
    """
    fitted: dict[str, TextHead] = {}
    for name in heads:
        report(f"{name}: fitting words and character n-grams")
        given = [each for each in examples if name in each.values]
        head = TextHead(seed=seed, encoder=encoder if name == "topic" else None)
        plain = [each for each in given if not each.corrected]
        corrected = {each.text: each.values[name] for each in given if each.corrected}
        head.fit_corrected(
            [each.text for each in plain], [each.values[name] for each in plain], corrected
        )
        fitted[name] = head
    return FastLabeller.of(
        fitted.get("topic", champion.topic), fitted.get("priority", champion.priority)
    )


def judged_heads(champion: Labeller, held_out: Mapping[str, HeldOut]) -> list[str]:
    """The heads of the champion that enough of the newest decisions are about."""
    told = ["topic", "priority"] if champion.label([""]).priority is not None else ["topic"]
    return [name for name in told if held_out[name].decided >= FEWEST_TICKETS]


def answers(labeller: Labeller, name: str, texts: Sequence[str]) -> HeadScores:
    """What one head of a labeller says, asked in serving batches. LookupError without that head."""
    classes: tuple[str, ...] = ()
    parts: list[Probabilities] = []
    for start in range(0, len(texts), BATCH):
        labelling = labeller.label(texts[start : start + BATCH])
        scores = labelling.topic if name == "topic" else labelling.priority
        if scores is None:
            raise LookupError(f"this model has no head for {name}")
        classes = scores.classes
        parts.append(scores.probabilities)
    return HeadScores(classes, np.concatenate(parts))


def judge(
    name: str, champion: Labeller, challenger: Labeller, held_out: HeldOut, seed: int
) -> Judged:
    """The gate's verdict on one head, and the temperature that suits the newest tickets.

    A temperature changes no label: judging by the tickets that it is set on is no advantage.
    LookupError where one of the two has no such head.
    """
    old, new = (answers(each, name, held_out.texts) for each in (champion, challenger))
    verdict = decide(
        Answers.of(held_out.labels, old.classes, old.probabilities),
        Answers.of(held_out.labels, new.classes, new.probabilities),
        seed,
        held_out.weights,
    )
    by, ece = _calibrated(new, held_out)
    return Judged(
        verdict, len(held_out.texts), held_out.decided, held_out.hindsight.corrected, ece, 1.0 / by
    )


def _calibrated(scores: HeadScores, held_out: HeldOut) -> tuple[float, float]:
    """The factor on logits, and the expected calibration error with it."""
    column = {label: at for at, label in enumerate(scores.classes)}
    labels = np.array([column.get(label, -1) for label in held_out.labels], np.int32)
    known = labels >= 0
    logits = np.log(np.maximum(scores.probabilities, 1e-30)).astype(np.float32)
    by = sharpness(logits[known], labels[known], held_out.weights[known])
    scaled = np.exp(by * (logits - logits.max(axis=1, keepdims=True)))
    scaled /= scaled.sum(axis=1, keepdims=True)
    confidence, right = scaled.max(axis=1), scaled.argmax(axis=1) == labels
    place = np.minimum((confidence * 15).astype(np.int64), 14)
    gap = np.bincount(place, held_out.weights * (confidence - right), 15)
    return by, float(np.abs(gap).sum() / held_out.weights.sum())


def best_of(
    champion: FastLabeller, challenger: FastLabeller, judged: Mapping[str, Judged]
) -> FastLabeller:
    """The challenger's heads that passed, at their temperature; else the champion's."""
    heads: dict[str, TextHead] = {}
    for name, head in challenger.heads().items():
        found = judged.get(name)
        if found is not None and found.verdict.promoted:
            head.sharpen(1.0 / found.temperature)
            heads[name] = head
    return FastLabeller.of(
        heads.get("topic", champion.topic), heads.get("priority", champion.priority)
    )
