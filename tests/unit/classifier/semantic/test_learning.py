"""What the semantic worker knows is what the log says, also after a restart."""

from collections.abc import Callable

import numpy as np
import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.promotion import ModelUnavailable
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.fast.untrained import untrained
from services.classifier.models.semantic.heads import CascadedHead
from services.classifier.semantic.learning import Expert, SemanticLearning
from shared.events import CorrectionLogEvent, ModelPromoted, RefitDue, TopicCreated
from tests.builders import NOON, a_correction

Base = Callable[[], FastLabeller]
ASKED = ["the elevator is stuck", "Der Aufzug steckt fest", "printer jam", "wifi"]
LOG: list[CorrectionLogEvent] = [
    TopicCreated(
        event_id="t", received_at=NOON, actor="kim", name="K7", description="elevators and doors"
    ),
    a_correction(event_id="c-1", topic="canteen", body="the coffee machine is empty"),
    RefitDue(event_id="r-1", received_at=NOON),
    a_correction(event_id="c-2", topic="canteen", body="no more sandwiches at noon"),
]


def no_promotion(event: ModelPromoted) -> FastLabeller | None:
    raise ModelUnavailable(event.version)


def begun(base: Base, encoder: Encoder, saved: Fold | None = None) -> SemanticLearning:
    expert = Expert(base, no_promotion, encoder)
    learning = SemanticLearning(Fold(expert.begin, base()), lambda _: None, expert, 0.95)
    learning.begin(saved, 0)
    return learning


def told(learning: SemanticLearning, start: int = 0, stop: int = len(LOG)) -> SemanticLearning:
    learning.apply([LogRecord(n, LOG[n]) for n in range(start, stop)])
    learning.labeller.settle()
    return learning


def head(learning: SemanticLearning) -> CascadedHead:
    found = learning.fold.topic
    assert isinstance(found, CascadedHead)
    return found


def best(learning: SemanticLearning, *texts: str) -> list[str]:
    look = head(learning).second_look(texts)
    return [look.classes[column] for column in look.probabilities.argmax(axis=1).tolist()]


def test_topics_of_the_log_are_known_in_every_language(trained: Base, encoder: Encoder) -> None:
    learning = told(begun(trained, encoder))
    asked = [*ASKED, "Der Kaffee ist alle", "в столовой нет бутербродов"]
    assert best(learning, *asked) == ["K7", "K7", "printing", "network", "canteen", "canteen"]
    assert "canteen" in learning.corrected
    assert "printing" not in learning.corrected


def test_the_digest_is_the_serving_worker_s(trained: Base, encoder: Encoder) -> None:
    learning, worker = told(begun(trained, encoder)), Fold(trained)
    for offset, event in enumerate(LOG):
        if worker.apply(LogRecord(offset, event)) == "refit":
            worker.refit()
    assert learning.fold.digest() == worker.digest()


def test_a_restart_from_a_snapshot_of_any_worker_answers_alike(
    trained: Base, encoder: Encoder
) -> None:
    worker = Fold(trained)
    for offset, event in enumerate(LOG[:3]):
        if worker.apply(LogRecord(offset, event)) == "refit":
            worker.refit()
    saved = Fold.from_state(decode_state(encode_state(worker.state())), trained, encoder)
    resumed = told(begun(trained, encoder, saved), start=3)
    straight = told(begun(trained, encoder))
    one, other = (head(each).second_look(ASKED) for each in (resumed, straight))
    assert np.array_equal(one.probabilities, other.probabilities)
    assert np.array_equal(one.novelty, other.novelty)


@pytest.mark.parametrize("asked_between", [True, False])
def test_without_any_model_names_and_corrections_are_enough(
    encoder: Encoder, asked_between: bool
) -> None:
    learning = begun(lambda: untrained(encoder), encoder)
    assert learning.untaught
    told(learning, 0, 1)
    if asked_between:
        assert best(learning, *ASKED)[:2] == ["K7", "K7"]
    told(learning, 1)
    found = head(learning).second_look(["Der Kaffee ist alle", *ASKED])
    assert found.classes == ("unsorted", "K7", "canteen")
    assert found.probabilities.argmax(axis=1).tolist()[:3] == [2, 1, 1]
    assert found.probabilities[0, 2] == pytest.approx(
        head(learning).second_look(["Der Kaffee ist alle"]).probabilities[0, 2], abs=1e-5
    )
    assert not np.isfinite(learning.fold.judgement.thresholds(found.classes)[1:]).any()
