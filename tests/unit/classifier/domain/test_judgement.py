"""What humans say moves the thresholds: at marks only, the same way in every worker."""

import json

import numpy as np
import pytest

from services.classifier.domain.error_budget import Calibration, Evidence
from services.classifier.domain.judgement import Judgement
from services.classifier.domain.quality import Outcome

CLASSES = ("printer", "vpn", "rare")


def calibration(rows: int = 3_000) -> Calibration:
    """Two topics of which the model is right above .8 and guesses below."""
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, rows)
    confidence = generator.uniform(0.5, 1.0, rows)
    right = (confidence > 0.8) | (generator.random(rows) < 0.5)
    answered = np.where(right, labels, 1 - labels)
    probabilities = np.zeros((rows, 3), np.float32)
    probabilities[np.arange(rows), answered] = confidence
    return Calibration.of(CLASSES, ([CLASSES[at] for at in labels], probabilities))


def outcome(number: int, answered: str = "vpn", label: str = "vpn", sure: float = 0.9) -> Outcome:
    return Outcome(f"c-{number}", answered, sure, label, 1_772_323_200.0 + number)


def test_thresholds_come_with_the_trained_model() -> None:
    printer, vpn, rare = Judgement(calibration()).thresholds(CLASSES).tolist()
    assert 0.75 < printer < 0.9
    assert 0.75 < vpn < 0.9
    assert 0.75 < rare < 0.9, "a trained topic without tickets borrows the pooled threshold"


def test_without_evidence_everything_is_a_suggestion() -> None:
    for empty in (Calibration(), Calibration(CLASSES)):
        assert np.isinf(Judgement(empty).thresholds(CLASSES)).all()


def test_errors_raise_a_topics_threshold_at_the_next_mark_and_not_before() -> None:
    judgement = Judgement(calibration())
    before = judgement.thresholds(CLASSES).copy()
    for number in range(60):
        judgement.record(outcome(number, label="printer", sure=0.97))
    assert (judgement.thresholds(CLASSES) == before).all()
    judgement.mark(61)
    after = judgement.thresholds(CLASSES)
    assert after[1] > 0.97
    assert after[0] == before[0]


def test_a_new_topic_is_suggested_until_a_human_judged_one_of_its_answers() -> None:
    judgement = Judgement(calibration())
    classes = (*CLASSES, "beamer")
    assert judgement.thresholds(classes)[3] == np.inf
    judgement.record(outcome(1, "vpn", "beamer"))
    judgement.mark(2)
    assert judgement.thresholds(classes)[3] == np.inf
    judgement.record(outcome(2, "beamer", "beamer"))
    judgement.mark(4)
    assert judgement.thresholds(classes)[3] < 1.0
    assert judgement.budget.topics["beamer"].evidence is Evidence.POOLED


def test_what_was_taken_back_no_longer_counts() -> None:
    judgement = Judgement(calibration())
    before = judgement.thresholds(CLASSES).copy()
    for number in range(60):
        judgement.record(outcome(number, label="printer", sure=0.97))
    judgement.mark(61)
    judgement.withdraw({f"c-{number}" for number in range(60)})
    judgement.mark(62)
    assert (judgement.thresholds(CLASSES) == before).all()


def test_another_model_is_not_judged_by_what_was_said_of_the_last_one() -> None:
    judgement = Judgement(calibration())
    before = judgement.thresholds(CLASSES).copy()
    for number in range(60):
        judgement.record(outcome(number, label="printer", sure=0.97))
    judgement.mark(61)
    judgement.restart(calibration())
    assert (judgement.thresholds(CLASSES) == before).all()
    assert judgement.quality.judged == 60, "history stays"


def test_a_stricter_target_applies_fewer() -> None:
    judgement = Judgement(calibration())
    lax = judgement.budget.coverage
    judgement.aim(0.99)
    assert judgement.budget.coverage < lax
    assert judgement.copy().budget.target == 0.99


@pytest.mark.parametrize("cut", [0, 7, 40, 99])
def test_a_restart_and_a_copy_give_the_thresholds_of_a_worker_that_went_on(cut: int) -> None:
    def told(judgement: Judgement, numbers: range) -> Judgement:
        for number in numbers:
            judgement.record(outcome(number, label="vpn" if number % 3 else "printer"))
            if number % 10 == 0:
                judgement.mark(number)
        return judgement

    whole = told(Judgement(calibration()), range(100))
    begun = told(Judgement(calibration()), range(cut))
    saved = json.loads(json.dumps(begun.state()))
    for resumed in (Judgement.from_state(saved, calibration()), begun.copy()):
        told(resumed, range(cut, 100))
        assert resumed.budget == whole.budget
        assert (resumed.thresholds(CLASSES) == whole.thresholds(CLASSES)).all()


def test_a_calibration_is_saved_whole_and_a_damaged_one_refused() -> None:
    kept = calibration()
    state = kept.state()
    loaded = Calibration.from_state(state, ())
    assert loaded.classes == kept.classes
    assert (loaded.confidence == kept.confidence).all()
    assert Calibration.from_state(None, CLASSES).classes == CLASSES
    with pytest.raises(ValueError, match="differ in length"):
        Calibration.from_state(state | {"labels": kept.labels[1:]}, ())
    with pytest.raises(ValueError, match="does not list"):
        Calibration.from_state(state | {"classes": ["printer"]}, ())
