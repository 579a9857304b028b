"""The brain's numbers beside scikit-learn's and river's: `python -m bench classification`."""

import sys
from collections.abc import Callable

from bench.classification_baselines import ScikitLearn, river_bayes, river_softmax
from bench.classification_data import (
    TicketSet,
    banking,
    clinc,
    data_directory,
    it_tickets,
    made_up,
)
from bench.classification_hostile import hostile
from bench.classification_learning import adaptation, encoder, names_only
from bench.classification_models import MAJORITY, SEMANTIC_SHARE, answers_of, make
from bench.classification_pace import LONG_CHARACTERS, lengthened, paces
from bench.row import Row, row
from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation import metrics
from services.classifier.evaluation.judging import novelty

SKLEARN, RIVER_BAYES, RIVER_LOGISTIC = (
    "scikit-learn TF-IDF + logistic regression",
    "river BagOfWords + MultinomialNB",
    "river TFIDF + one-vs-rest logistic regression",
)
# Accuracy that issue 5 asks of the fast path and of the semantic stage at SEMANTIC_SHARE.
WANTED = {"banking77": (0.922, 0.934), "clinc150": (0.936, 0.948)}
WANTED_AUROC = (0.96, 0.975)


def rows(quick: bool) -> list[Row]:
    """Every row; `quick` measures one set, in about a minute."""
    root = data_directory()
    if root is None:
        print("DESKSTREAM_DATA names no folder: measuring on a small made-up set", file=sys.stderr)
        return short_tickets(made_up())
    parts: list[Callable[[], list[Row]]] = [lambda: short_tickets(banking(root)), hostile]
    if not quick:
        parts += [
            lambda: semantic_stage(banking(root)),
            lambda: adaptation(banking(root)),
            lambda: names_only(banking(root)),
            lambda: encoder(banking(root)),
            lambda: short_tickets(clinc(root)),
            lambda: semantic_stage(clinc(root)),
            lambda: long_tickets(it_tickets(root)),
        ]
    found: list[Row] = []
    for number, part in enumerate(parts, start=1):
        print(f"classification: part {number} of {len(parts)}", file=sys.stderr)
        found += part()
    return found


def short_tickets(tickets: TicketSet) -> list[Row]:
    """Accuracy, calibration, novelty and pace of the fast path, beside three baselines."""
    name = tickets.name
    fast, wanted = make("fast"), WANTED.get(name)
    fast.fit(tickets.train.texts, tickets.train.labels)
    answers = answers_of(fast, tickets)
    accuracy = metrics.accuracy(answers)
    majority = metrics.majority_accuracy(tickets.train.labels, tickets.test.labels)
    found = [
        row(
            f"{name}: accuracy, fast path",
            accuracy,
            "share",
            baseline=MAJORITY,
            baseline_value=majority,
            at_least=wanted[0] if wanted else None,
        ),
        row(
            f"{name}: calibration error, fast path",
            metrics.expected_calibration_error(answers),
            "share",
            at_most=0.03 if wanted else None,
        ),
    ]
    for label, baseline in (
        (SKLEARN, ScikitLearn()),
        (RIVER_BAYES, river_bayes()),
        (RIVER_LOGISTIC, river_softmax()),
    ):
        baseline.fit(tickets.train.texts, tickets.train.labels)
        found += versus(fast, accuracy, label, baseline, tickets)
    return found + novelty_rows(fast, tickets, "fast path", WANTED_AUROC[0])


def versus(
    fast: TextClassifier, accuracy: float, label: str, baseline: TextClassifier, tickets: TicketSet
) -> list[Row]:
    """Accuracy and pace of the fast path against one baseline that was fitted on the same rows."""
    theirs = metrics.accuracy(answers_of(baseline, tickets))
    found = [
        row(
            f"{tickets.name}: accuracy, fast path",
            accuracy,
            "share",
            baseline=label,
            baseline_value=theirs,
        )
    ]
    for batch, target in ((512, 200_000), (32, 200_000)):
        ours, other = paces(fast, baseline, tickets.test.texts, batch)
        found.append(
            row(
                f"{tickets.name}: tickets per CPU-second, batches of {batch}",
                ours,
                "tickets/s",
                baseline=label,
                baseline_value=other,
                at_least=target,
            )
        )
    ours, other = paces(fast, baseline, tickets.test.texts, 1)
    found.append(
        row(
            f"{tickets.name}: one ticket alone",
            1e6 / ours,
            "us",
            baseline=label,
            baseline_value=1e6 / other,
            at_most=25,
        )
    )
    return found


def semantic_stage(tickets: TicketSet) -> list[Row]:
    """The least sure tenth goes to the encoder."""
    cascade = make("fast", SEMANTIC_SHARE)
    cascade.fit(tickets.train.texts, tickets.train.labels)
    accuracy = metrics.accuracy(answers_of(cascade, tickets))
    fast = make("fast")
    fast.fit(tickets.train.texts, tickets.train.labels)
    ours, other = paces(cascade, fast, tickets.test.texts, 512)
    wanted = WANTED.get(tickets.name)
    return [
        row(
            f"{tickets.name}: accuracy, semantic stage on {SEMANTIC_SHARE:.0%}",
            accuracy,
            "share",
            baseline="fast path",
            baseline_value=metrics.accuracy(answers_of(fast, tickets)),
            at_least=wanted[1] if wanted else None,
        ),
        row(
            f"{tickets.name}: tickets per CPU-second, semantic stage on {SEMANTIC_SHARE:.0%}",
            ours,
            "tickets/s",
            baseline="fast path",
            baseline_value=other,
            at_least=20_000,
        ),
        *novelty_rows(cascade, tickets, "semantic stage", WANTED_AUROC[1]),
    ]


def novelty_rows(model: TextClassifier, tickets: TicketSet, stage: str, target: float) -> list[Row]:
    """How well out-of-scope tickets stand out; nothing where the set has none."""
    if not tickets.out_of_scope:
        return []
    known, strange = novelty(model, tickets.test.texts), novelty(model, tickets.out_of_scope)
    return [
        row(
            f"{tickets.name}: out-of-scope AUROC, {stage}",
            metrics.auroc(known, strange),
            "share",
            baseline="chance",
            baseline_value=0.5,
            at_least=target,
        )
    ]


def long_tickets(tickets: TicketSet) -> list[Row]:
    """Real IT tickets: both models' accuracy, and pace on texts of some 570 bytes."""
    baseline = ScikitLearn()
    baseline.fit(tickets.train.texts, tickets.train.labels)
    theirs = metrics.accuracy(answers_of(baseline, tickets))
    found = []
    for name, target in (("batch", 0.866), ("fast", 0.845)):
        model = make(name)
        model.fit(tickets.train.texts, tickets.train.labels)
        found.append(
            row(
                f"{tickets.name}: accuracy, {name} model",
                metrics.accuracy(answers_of(model, tickets)),
                "share",
                baseline=SKLEARN,
                baseline_value=theirs,
                at_least=target,
            )
        )
    texts = lengthened(tickets.test.texts)
    ours, other = paces(model, baseline, texts, 512)
    found.append(
        row(
            f"{tickets.name}: tickets per CPU-second, {LONG_CHARACTERS} characters, batches of 512",
            ours,
            "tickets/s",
            baseline=SKLEARN,
            baseline_value=other,
            at_least=30_000,
        )
    )
    return found
