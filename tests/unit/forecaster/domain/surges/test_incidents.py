"""Incidents: guarded, told once, called by what their tickets share."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from services.forecaster.domain.surges.detection import THRESHOLD
from services.forecaster.domain.surges.incidents import (
    Phase,
    Series,
    SurgeRule,
    SurgeWatch,
    Window,
)
from services.forecaster.domain.surges.sightings import Sighting, described, explained
from services.forecaster.domain.surges.telling import remembered, told
from shared.windows import Dimension

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
REFUNDS = Series(Dimension.TOPIC, "refund")
WINDOW = Window(
    REFUNDS,
    10,
    tickets=9,
    expected=2.0,
    score=4.0,
    requesters=8,
    examples=("t1", "t2"),
    queue="billing",
    topic="refund",
)
QUIET = replace(WINDOW, tickets=2, requesters=2, score=0.1, examples=())


def at(window: Window, step: int) -> Window:
    return replace(window, step=step, examples=tuple(f"{e}@{step}" for e in window.examples))


def test_an_incident_is_told_once_and_ended_once() -> None:
    watch = SurgeWatch()
    told = [
        each
        for step, window in enumerate([WINDOW, WINDOW, QUIET, WINDOW, QUIET, QUIET, QUIET], 10)
        for each in watch.observe(at(window, step), NOW)
    ]
    assert [phase for phase, _ in told] == [Phase.OPEN, Phase.CLOSED]
    begun, ended = (incident for _, incident in told)
    assert begun.key == ended.key
    assert begun.key.startswith("19700101T10-topic-")
    assert (ended.first_step, ended.last_step, ended.windows) == (10, 13, 4)
    assert (ended.tickets, ended.peak, ended.requesters) == (27, 4.0, 8)
    assert len(ended.examples) == 5
    assert watch.open_incidents == ()


@pytest.mark.parametrize(
    "window",
    [
        replace(WINDOW, requesters=4),
        replace(WINDOW, tickets=4, requesters=4),
        replace(WINDOW, score=THRESHOLD - 0.1),
    ],
)
def test_few_people_few_tickets_or_a_low_score_are_no_surge(window: Window) -> None:
    assert SurgeWatch().observe(window, NOW) == ()


def test_one_loud_requester_is_no_surge_however_loud() -> None:
    loud = replace(WINDOW, tickets=5000, requesters=1, score=99.0)
    assert SurgeWatch().observe(loud, NOW) == ()


def test_the_guard_can_be_set() -> None:
    rule = SurgeRule(min_tickets=2, min_requesters=1)
    assert SurgeWatch(rule).observe(replace(WINDOW, tickets=2, requesters=1), NOW) != ()


def test_a_window_told_twice_changes_nothing() -> None:
    watch = SurgeWatch()
    for step in (10, 11):
        watch.observe(at(WINDOW, step), NOW)
    before = watch.open_incidents
    assert watch.observe(at(WINDOW, 11), NOW) == watch.observe(at(WINDOW, 10), NOW) == ()
    assert watch.open_incidents == before


def test_the_hour_that_raised_an_alert_is_restated_when_it_is_over() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW, NOW)
    watch.observe(replace(WINDOW, tickets=30, requesters=20, score=9.0), NOW)
    [incident] = watch.open_incidents
    assert (incident.tickets, incident.requesters, incident.peak) == (30, 20, 9.0)
    assert incident.raised_at == NOW


def test_topics_and_queues_surge_separately() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW, NOW)
    for series in (Series(Dimension.TOPIC, "login"), Series(Dimension.QUEUE, "refund")):
        [(phase, incident)] = watch.observe(replace(WINDOW, series=series), NOW)
        assert (phase, incident.series) == (Phase.OPEN, series)
    assert len({incident.key for incident in watch.open_incidents}) == 3


def test_after_a_long_silence_the_old_incident_ends_and_a_new_one_begins() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW, NOW)
    (ended, old), (begun, new) = watch.observe(at(WINDOW, 50), NOW)
    assert (ended, old.last_step) == (Phase.CLOSED, 10)
    assert (begun, new.first_step) == (Phase.OPEN, 50)


def test_nobody_is_alarmed_of_the_past_but_what_was_open_goes_on() -> None:
    watch = SurgeWatch()
    assert watch.observe(WINDOW, NOW, may_begin=False) == ()
    watch.observe(at(WINDOW, 11), NOW)
    watch.observe(at(WINDOW, 12), NOW, may_begin=False)
    assert [each.last_step for each in watch.open_incidents] == [12]


def test_what_another_process_told_is_not_told_again() -> None:
    watch, heir = SurgeWatch(), SurgeWatch()
    watch.observe(WINDOW, NOW)
    login = replace(WINDOW, series=Series(Dimension.TOPIC, "login"), topic="login")
    watch.observe(login, NOW)
    said = [told(Phase.OPEN, watch.open_incidents[0], NOW)]
    over = replace(watch.open_incidents[1], last_step=12)
    said.append(told(Phase.CLOSED, over, NOW))
    heir.restore(*remembered(said))
    assert heir.open_incidents == watch.open_incidents[:1]
    assert heir.observe(at(WINDOW, 11), NOW) == ()
    assert heir.observe(at(login, 12), NOW) == ()
    assert len(heir.observe(at(login, 13), NOW)) == 1


def test_an_alert_says_what_where_since_when_and_until_when() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW, NOW)
    alert = told(Phase.CLOSED, replace(watch.open_incidents[0], last_step=11), NOW)
    assert (alert.topic, alert.queue, alert.state) == ("refund", "billing", "closed")
    assert alert.series == ("topic", "refund")
    assert (alert.started_at.hour, alert.ended_at and alert.ended_at.hour) == (10, 12)
    assert alert.examples == ("t1", "t2")


def seen(number: int, topic: str = "refund", queue: str = "billing") -> list[Sighting]:
    return [Sighting(f"{topic}{i}", f"person {i}", queue, topic) for i in range(number)]


def test_people_are_counted_not_tickets_unless_nobody_is_named() -> None:
    loud = [replace(each, requester="bob") for each in seen(9)]
    assert described(WINDOW, seen(9)).requesters == 9
    assert described(WINDOW, loud).requesters == 1
    assert described(WINDOW, [replace(each, requester="") for each in seen(9)]).requesters == 9


def test_a_surge_is_called_by_what_most_of_its_tickets_share() -> None:
    mixed = seen(3, "refund") + seen(2, "login") + seen(2, "vpn")
    window = described(replace(WINDOW, series=Series(Dimension.QUEUE, "billing")), mixed)
    assert (window.queue, window.topic) == ("billing", None)
    assert described(window, seen(4) + seen(3, "login")).topic == "refund"


def test_an_outage_that_fills_topic_and_queue_is_one_incident() -> None:
    watch = SurgeWatch()
    watch.observe(WINDOW, NOW)
    queue = replace(WINDOW, series=Series(Dimension.QUEUE, "billing"), tickets=20, expected=6.0)
    assert explained(queue, seen(9) + seen(11, "login"), watch.open_incidents)
    assert not explained(queue, seen(6) + seen(14, "login"), watch.open_incidents)
    assert not explained(queue, [], watch.open_incidents)
    told_of_queue = SurgeWatch()
    told_of_queue.observe(replace(queue, topic="refund"), NOW)
    assert explained(WINDOW, seen(9), told_of_queue.open_incidents)
    assert not explained(WINDOW, seen(9, queue="sales"), told_of_queue.open_incidents)
