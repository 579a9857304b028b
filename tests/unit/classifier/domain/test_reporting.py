"""A judgement as it is told: finite numbers, the topic and the period asked for."""

from datetime import UTC, datetime, timedelta

import numpy as np

from services.classifier.domain.error_budget import Calibration
from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.quality import POINT_EVERY, Outcome
from services.classifier.domain.reporting import report

START = datetime(2026, 3, 1, tzinfo=UTC)
MODEL = ModelIdentity("fast", "v1", "d", log_offset=7)


def judgement(tickets: int) -> Judgement:
    """One ticket a minute; every second one of `vpn` is in truth `printer`; marks every fifty."""
    rows = np.tile(np.array([[0.9, 0.1], [0.1, 0.9]], np.float32), (200, 1))
    found = Judgement(Calibration.of(("printer", "vpn"), (["printer", "vpn"] * 200, rows)))
    for number in range(tickets):
        label = "printer" if number % 2 else "vpn"
        at = (START + timedelta(minutes=number)).timestamp()
        found.record(Outcome(f"c-{number}", "vpn", 0.8, label, at))
        if number % 50 == 49:
            found.mark(number)
    return found


def test_before_the_first_correction_only_the_hold_out_speaks() -> None:
    told = report(judgement(0), MODEL, shadow=False)
    assert (told.judged, told.window.tickets, told.window.accuracy) == (0, 0, None)
    assert (told.model, told.version, told.log_offset) == ("fast", "v1", 7)
    assert [topic.topic for topic in told.topics] == ["printer", "vpn"]
    assert all(topic.evidence == "own" for topic in told.topics)
    assert all(0.85 < (topic.threshold or 0) <= 0.9 for topic in told.topics)
    assert told.coverage == 1.0
    assert (told.history, told.batches, told.drifts) == ([], [], [])


def test_figures_stand_beside_the_majoritys() -> None:
    told = report(judgement(2 * POINT_EVERY), MODEL, shadow=True)
    assert (told.window.accuracy, told.window.majority_accuracy, told.shadow) == (0.5, 0.5, True)
    assert [point.judged for point in told.history] == [POINT_EVERY, 2 * POINT_EVERY]
    assert [batch.before.tickets for batch in told.batches] == [50] * 4
    assert told.batches[0].after == told.batches[1].before
    assert told.batches[-1].after is None
    assert told.topics[0].recall == 0.0
    assert told.topics[1].precision == 0.5


def test_the_series_are_of_the_period_and_curve_of_the_topic() -> None:
    whole = judgement(3 * POINT_EVERY)
    second = START + timedelta(minutes=POINT_EVERY)
    third = START + timedelta(minutes=2 * POINT_EVERY)
    told = report(whole, MODEL, shadow=False, topic="vpn", start=second, end=third)
    assert [point.judged for point in told.history] == [2 * POINT_EVERY]
    assert told.history[0].f1 is not None
    assert [topic.topic for topic in told.topics] == ["vpn"]
    assert len(told.batches) == 2
    assert told.judged == 3 * POINT_EVERY


def test_a_topic_nobody_knows_has_nothing_applied() -> None:
    [topic] = report(judgement(10), MODEL, shadow=False, topic="beamer").topics
    assert (topic.threshold, topic.evidence, topic.f1, topic.tickets) == (None, "none", None, 0)


def test_a_drift_is_told_with_its_time() -> None:
    found = judgement(0)
    for number in range(1_000):
        right = number < 500
        at = (START + timedelta(minutes=number)).timestamp()
        found.record(Outcome(f"c-{number}", "vpn", 0.8, "vpn" if right else "printer", at))
    drift = report(found, MODEL, shadow=False).drifts[0]
    assert START + timedelta(minutes=500) < drift.at < START + timedelta(minutes=700)
    assert drift.error_before < drift.error_after
