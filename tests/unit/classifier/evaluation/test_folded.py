"""The learner that `evaluate` judges: the same bits as a worker at the same offset of the log."""

import numpy as np

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.log_records import LogRecord
from services.classifier.evaluation.folded import FoldedClassifier
from services.classifier.evaluation.online import OnlineClassifier
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller
from shared.events import RefitDue
from tests.builders import NOON, a_correction

TEXTS = [f"{text} {n}" for n in range(40) for text in ("vpn drops", "inbox full", "no wifi")]
LABELS = ["net", "mail", "net"] * 40
DARK = "the projector is dark"


def test_it_answers_what_a_worker_answers_at_the_same_offset() -> None:
    model = FoldedClassifier(seed=3)
    assert isinstance(model, OnlineClassifier)
    model.fit(TEXTS, LABELS)
    model.correct(DARK, "projector")
    model.refit()
    model.correct("inbox gone", "net")

    head = TextHead(seed=3)
    head.fit(TEXTS, LABELS)
    trained = FastLabeller(head, None, ModelIdentity("fast", "1", ""))
    worker = Fold(lambda: trained)
    worker.apply(LogRecord(0, a_correction(event_id="1", topic="projector", body=DARK)))
    assert worker.apply(LogRecord(1, RefitDue(event_id="2", received_at=NOON))) == "refit"
    worker.refit()
    worker.apply(LogRecord(2, a_correction(event_id="3", topic="net", body="inbox gone")))

    answered = worker.label([*TEXTS[:9], DARK]).topic
    assert model.classes == answered.classes == ("mail", "net", "projector")
    assert np.array_equal(model.predict_proba([*TEXTS[:9], DARK]), answered.probabilities)


def test_it_learns_from_nothing() -> None:
    model = FoldedClassifier()
    assert model.classes == ()
    model.correct("vpn drops", "net")
    model.correct("inbox full", "mail")
    model.refit()
    assert model.classes[int(model.predict_proba(["inbox full"])[0].argmax())] == "mail"


def test_a_new_fit_begins_a_new_log() -> None:
    model = FoldedClassifier()
    model.fit(TEXTS, LABELS)
    model.correct(DARK, "projector")
    model.fit(TEXTS, LABELS)
    assert model.classes == ("mail", "net")
    assert model.refused_refits == 0
