"""Prequential quality: a window's figures, its history, batches and drift, kept over a restart."""

import json
from math import isnan

import numpy as np
import pytest
from river import metrics, utils

from services.classifier.domain.quality import (
    BATCHES_KEPT,
    POINT_EVERY,
    POINTS_KEPT,
    TOPICS_CHARTED,
    Outcome,
    PrequentialQuality,
)

START = 1_772_323_200.0


def judged(answered: str, label: str, number: int = 0) -> Outcome:
    return Outcome(f"c-{number}", answered, 0.5, label, START + number)


def noisy(rows: int, seed: int = 0) -> list[Outcome]:
    generator = np.random.default_rng(seed)
    labels = generator.choice(list("aaabc"), rows)
    answered = np.where(generator.random(rows) < 0.7, labels, generator.choice(list("abc"), rows))
    pairs = zip(answered.tolist(), labels.tolist(), strict=True)
    return [judged(*pair, number) for number, pair in enumerate(pairs)]


def recorded(outcomes: list[Outcome], window: int = 200) -> PrequentialQuality:
    quality = PrequentialQuality(window)
    for outcome in outcomes:
        quality.record(outcome)
    return quality


def saved_and_loaded(quality: PrequentialQuality, window: int = 200) -> PrequentialQuality:
    return PrequentialQuality.from_state(json.loads(json.dumps(quality.state())), window)


def test_before_the_first_ticket_nothing_is_claimed() -> None:
    assert isnan(PrequentialQuality().now().accuracy)


def test_the_figures_are_rivers_over_the_last_window() -> None:
    outcomes = noisy(500)
    quality = recorded(outcomes)
    accuracy = utils.Rolling(metrics.Accuracy, window_size=200)
    macro_f1 = utils.Rolling(metrics.MacroF1, window_size=200)
    for outcome in outcomes:
        accuracy.update(outcome.label, outcome.answered)
        macro_f1.update(outcome.label, outcome.answered)
    now = quality.now()
    assert now.accuracy == pytest.approx(accuracy.get())
    assert now.macro_f1 == pytest.approx(macro_f1.get())
    share = sum(outcome.label == "a" for outcome in outcomes[-200:]) / 200
    assert now.majority_accuracy == pytest.approx(share)
    assert (now.tickets, quality.judged) == (200, 500)


def test_precision_and_recall_of_a_topic() -> None:
    topics = recorded([judged(*pair) for pair in ("aa", "ab", "bb", "bb")]).topics()
    assert (topics["a"].precision, topics["a"].recall, topics["a"].tickets) == (0.5, 1.0, 1)
    assert topics["b"].precision == 1.0
    assert topics["b"].recall == pytest.approx(2 / 3)


def test_a_topic_that_left_the_window_is_no_longer_shown() -> None:
    quality = recorded([judged("old", "old"), *[judged("new", "new")] * 10], window=10)
    assert set(quality.topics()) == {"new"}


def test_history_has_a_point_for_every_hundred_tickets_with_its_time_and_topics() -> None:
    quality = recorded(noisy(2 * POINT_EVERY + 1))
    assert [point.judged for point in quality.history] == [POINT_EVERY, 2 * POINT_EVERY]
    assert quality.history[0].at == START + POINT_EVERY - 1
    assert quality.history[1].topics["a"] == pytest.approx(quality.topics()["a"].f1, abs=0.02)


def test_a_batch_is_judged_on_its_own_tickets_and_the_next_shows_what_it_brought() -> None:
    quality = PrequentialQuality(window=10)
    for number in range(4):
        quality.record(judged("a", "b", number))
    quality.mark(5)
    for number in range(4, 8):
        quality.record(judged("b", "b", number))
    quality.mark(10)
    first, second = quality.batches
    assert (first.offset, first.own.accuracy, first.own.tickets) == (5, 0.0, 4)
    assert (second.offset, second.own.accuracy, second.window.accuracy) == (10, 1.0, 0.5)


def test_a_mark_without_new_tickets_is_no_batch() -> None:
    quality = recorded([judged("a", "a")])
    quality.mark(1)
    quality.mark(2)
    assert len(quality.batches) == 1


def test_what_was_taken_back_judges_no_longer() -> None:
    quality = recorded([judged("a", "b", number) for number in range(3)])
    quality.record(judged("a", "a", 3))
    quality.withdraw({"c-0", "c-1", "c-2"})
    quality.mark(4)
    assert quality.now().accuracy == 1.0
    assert quality.batches[0].own.tickets == 1
    assert quality.judged == 4


def test_a_lasting_rise_of_errors_is_noticed_and_steady_noise_is_not() -> None:
    generator = np.random.default_rng(1)
    quality = PrequentialQuality()
    for number in range(2_000):
        quality.record(judged("a" if generator.random() < 0.9 else "b", "a", number))
    assert not quality.drifts
    for number in range(2_000, 2_500):
        quality.record(judged("a" if generator.random() < 0.4 else "b", "a", number))
    drift = quality.drifts[0]
    assert 2_000 < drift.judged < 2_300
    assert drift.before < 0.2 < drift.after
    assert drift.at == START + drift.judged - 1


@pytest.mark.parametrize("cut", [1, 150, 333])
def test_a_restart_and_a_copy_change_nothing_that_follows(cut: int) -> None:
    outcomes = noisy(600)
    whole, begun = recorded(outcomes), recorded(outcomes[:cut])
    begun.mark(cut)
    for resumed in (saved_and_loaded(begun), begun.copy()):
        for outcome in outcomes[cut:]:
            resumed.record(outcome)
        assert resumed.history == whole.history
        assert (resumed.now(), resumed.topics()) == (whole.now(), whole.topics())
        assert (resumed.drifts, resumed.judged) == (whole.drifts, whole.judged)
        assert len(resumed.batches) == 1
    assert begun.judged == cut


def test_memory_is_bounded_in_topics_points_and_batches() -> None:
    quality = PrequentialQuality(window=100)
    for number in range((POINTS_KEPT + 3) * POINT_EVERY):
        quality.record(judged(f"t-{number}", f"t-{number}", number))
        if number < 2 * BATCHES_KEPT:
            quality.mark(number)
    assert len(quality.topics()) == 100
    assert len(quality.history) == POINTS_KEPT
    assert len(quality.batches) == BATCHES_KEPT
    assert all(len(point.topics) == TOPICS_CHARTED for point in quality.history)
    assert len(json.dumps(quality.state())) < 2_000_000


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one ticket"):
        PrequentialQuality(window=0)
