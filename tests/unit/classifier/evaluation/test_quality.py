"""Prequential quality: a window's figures, its history, marks and drift."""

from datetime import UTC, datetime, timedelta
from math import isnan

import numpy as np
import pytest

from services.classifier.evaluation.metrics import Answers, accuracy, f1_by_class, macro_f1
from services.classifier.evaluation.quality import POINT_EVERY, PrequentialQuality

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_before_the_first_ticket_nothing_is_claimed() -> None:
    assert isnan(PrequentialQuality().now(START).accuracy)


def test_the_figures_are_those_of_the_last_window() -> None:
    generator = np.random.default_rng(0)
    labels = generator.choice(list("aaabc"), 500)
    answered = np.where(generator.random(500) < 0.7, labels, generator.choice(list("abc"), 500))
    quality = PrequentialQuality(window=200)
    for said, label in zip(answered.tolist(), labels.tolist(), strict=True):
        quality.record(said, label, START)
    last = Answers(labels[-200:], answered[-200:], np.ones(200, np.float32))
    now = quality.now(START)
    assert now.accuracy == pytest.approx(accuracy(last))
    assert now.macro_f1 == pytest.approx(macro_f1(last))
    assert now.majority_accuracy == pytest.approx((labels[-200:] == "a").mean())
    expected = f1_by_class(last)
    assert {name: topic.f1 for name, topic in quality.topics().items()} == pytest.approx(expected)
    assert now.judged == 500


def test_precision_and_recall_of_a_topic() -> None:
    quality = PrequentialQuality()
    for answered, label in [("a", "a"), ("a", "b"), ("b", "b"), ("b", "b")]:
        quality.record(answered, label, START)
    topics = quality.topics()
    assert (topics["a"].precision, topics["a"].recall, topics["a"].tickets) == (0.5, 1.0, 1)
    assert topics["b"].precision == 1.0
    assert topics["b"].recall == pytest.approx(2 / 3)


def test_a_topic_that_left_the_window_is_no_longer_shown() -> None:
    quality = PrequentialQuality(window=10)
    quality.record("old", "old", START)
    for _ in range(10):
        quality.record("new", "new", START)
    assert set(quality.topics()) == {"new"}


def test_history_has_a_point_for_every_hundred_tickets_with_its_time() -> None:
    quality = PrequentialQuality()
    for number in range(2 * POINT_EVERY + 1):
        quality.record("a", "a", START + timedelta(seconds=number))
    assert [point.judged for point in quality.history] == [POINT_EVERY, 2 * POINT_EVERY]
    assert quality.history[0].at == START + timedelta(seconds=POINT_EVERY - 1)


def test_a_mark_keeps_the_quality_from_before() -> None:
    quality = PrequentialQuality(window=10)
    for _ in range(10):
        quality.record("a", "b", START)
    quality.mark("corrections 17 to 40", START)
    for _ in range(10):
        quality.record("b", "b", START)
    (mark,) = quality.marks
    assert (mark.name, mark.before.accuracy) == ("corrections 17 to 40", 0.0)
    assert quality.now(START).accuracy == 1.0


def test_a_lasting_fall_of_accuracy_is_noticed_and_steady_noise_is_not() -> None:
    generator = np.random.default_rng(1)
    quality = PrequentialQuality()
    for _ in range(2_000):
        quality.record("a" if generator.random() < 0.9 else "b", "a", START)
    assert quality.drifts == 0
    noticed = [
        quality.record("a" if generator.random() < 0.4 else "b", "a", START) for _ in range(500)
    ]
    assert any(noticed)
    assert quality.drifts == sum(noticed)


def test_an_empty_window_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one ticket"):
        PrequentialQuality(window=0)
