"""The radar: what it proposes, what it does not, and what makes a proposal go."""

from datetime import timedelta

import pytest

from services.classifier.domain.radar.cluster import EXAMPLES, Fate
from services.classifier.domain.radar.limits import RadarLimits
from services.classifier.domain.radar.radar import Radar
from shared.events import ProposalDismissed, TicketLabelled
from tests.builders import NOON, a_correction
from tests.unit.classifier.domain.radar.sky import NOVEL, USUAL, Sky, mixed


@pytest.fixture
def sky() -> Sky:
    return Sky()


@pytest.fixture
def radar() -> Radar:
    return Radar()


def dismissed(proposal: str) -> ProposalDismissed:
    return ProposalDismissed(event_id="d-1", received_at=NOON, actor="kim", proposal=proposal)


def label(radar: Radar, tickets: list[TicketLabelled]) -> None:
    for ticket in tickets:
        radar.fold(a_correction(ticket_id=ticket.ticket_id, topic="beamer"))


def test_a_topic_emerges_with_all_that_is_known_of_it(radar: Radar, sky: Sky) -> None:
    tickets = sky.show(radar, 0, 9)
    [found] = radar.proposals()
    assert found.tickets == 9
    assert found.requesters == 7
    assert (found.first_seen, found.last_seen) == (tickets[0].created_at, tickets[-1].created_at)
    assert {each.ticket_id for each in found.examples} == {each.ticket_id for each in tickets}
    assert found.examples[0].body.startswith("the projector shows no picture")
    assert found.terms
    assert found.name
    assert radar.find(found.id) == found


def test_the_id_follows_from_the_first_ticket(sky: Sky) -> None:
    one, other = Radar(), Radar()
    tickets = sky.show(one, 0, 8)
    for ticket in tickets:
        other.observe(ticket, sky.near(0), NOVEL)
    assert one.proposals()[0].id == other.proposals()[0].id


def test_too_few_tickets_propose_nothing(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, radar.limits.tickets - 1)
    assert radar.proposals() == []


def test_one_person_alone_proposes_nothing(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 30, requester="r-1")
    assert radar.proposals() == []
    sky.show(radar, 0, radar.limits.requesters)
    assert len(radar.proposals()) == 1


def test_who_does_not_say_who_they_are_still_counts(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 8, requester="")
    assert radar.proposals()[0].requesters == 8


def test_usual_tickets_propose_nothing(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 50, novelty=USUAL)
    assert len(radar) == 0


def test_a_ticket_that_comes_again_counts_once(radar: Radar, sky: Sky) -> None:
    ticket = sky.ticket()
    for _ in range(20):
        radar.observe(ticket, sky.near(0), NOVEL)
    sky.show(radar, 0, 7)
    assert radar.proposals()[0].tickets == 8
    assert radar.observed == 8


def test_two_topics_are_two_proposals_the_larger_first(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 8)
    sky.show(radar, 1, 12)
    assert [found.tickets for found in radar.proposals()] == [12, 8]


def test_clusters_that_grow_together_merge_into_the_older(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    sky.show(radar, 1, 9)
    elder, younger = (found.id for found in radar.proposals())
    for _ in range(60):
        radar.observe(sky.ticket(), sky.between(0, 1), NOVEL)
    [merged] = radar.proposals()
    assert merged.tickets == 79
    assert merged.id == elder
    assert radar.find(younger) == merged
    assert len(merged.examples) == EXAMPLES


def test_what_the_models_come_to_know_is_no_longer_proposed(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    assert radar.proposals()
    sky.show(radar, 0, 40, novelty=USUAL)
    assert radar.proposals() == []


def test_usual_tickets_elsewhere_say_nothing(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    sky.show(radar, 1, 100, novelty=USUAL)
    assert len(radar.proposals()) == 1


def test_a_dismissed_one_stays_silent_and_its_tickets_too(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    [found] = radar.proposals()
    radar.fold(dismissed(found.id))
    sky.show(radar, 0, 50)
    assert radar.proposals() == []
    assert len(radar) == 1
    again = radar.find(found.id)
    assert again is not None
    assert again.fate is Fate.DISMISSED
    sky.show(radar, 1, 500, received_at=NOON + timedelta(days=400))
    sky.show(radar, 0, 20, received_at=NOON + timedelta(days=400))
    assert len(radar.proposals()) == 1


def test_a_merged_one_is_dismissed_by_either_name(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    sky.show(radar, 1, 9)
    _, younger = (found.id for found in radar.proposals())
    for _ in range(60):
        radar.observe(sky.ticket(), sky.between(0, 1), NOVEL)
    radar.fold(dismissed(younger))
    assert radar.proposals() == []


def test_a_dismissal_read_before_its_tickets_holds(sky: Sky) -> None:
    first = Radar()
    tickets = sky.show(first, 0, 10)
    again = Radar()
    again.fold(dismissed(first.proposals()[0].id))
    for ticket in tickets:
        again.observe(ticket, sky.near(0), NOVEL)
    assert again.proposals() == []


def test_corrected_examples_end_a_proposal(radar: Radar, sky: Sky) -> None:
    tickets = sky.show(radar, 0, 10)
    [found] = radar.proposals()
    label(radar, tickets[:4])
    assert radar.proposals() == [radar.find(found.id)]
    label(radar, tickets[4:5])
    assert radar.proposals() == []
    sky.show(radar, 0, 20)
    assert radar.proposals() == []
    named = radar.find(found.id)
    assert named is not None
    assert named.fate is Fate.NAMED
    assert {each.ticket_id for each in named.examples} == {each.ticket_id for each in tickets}


def test_a_single_correction_ends_nothing(radar: Radar, sky: Sky) -> None:
    label(radar, sky.show(radar, 0, 1))
    sky.show(radar, 0, 9)
    assert radar.proposals()[0].tickets == 10


def test_what_nobody_writes_about_is_forgotten(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    later = NOON + radar.limits.lifetime + timedelta(days=1)
    sky.show(radar, 1, 100, received_at=later)
    assert len(radar.proposals()) == 1
    assert len(radar) == 1


def test_old_tickets_received_today_are_not_forgotten(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 100, created_at=NOON - timedelta(days=900))
    assert len(radar.proposals()) == 1


def test_memory_is_bounded_and_large_clusters_outlast_single_tickets(sky: Sky) -> None:
    radar = Radar(RadarLimits(clusters=20))
    sky.show(radar, 0, 10)
    for direction in range(1, 150):
        sky.show(radar, direction, 1)
        assert len(radar) <= 20
    assert len(radar.proposals()) == 1


def test_dismissals_never_fill_the_memory(sky: Sky) -> None:
    radar = Radar(RadarLimits(clusters=20))
    for direction in range(30):
        sky.show(radar, direction, 8)
        for found in radar.proposals():
            radar.fold(dismissed(found.id))
    sky.show(radar, 40, 8)
    assert len(radar.proposals()) == 1
    assert len(radar) <= 20


def test_the_same_sequence_gives_the_same_proposals_over_a_restart() -> None:
    through, first = Radar(), Radar()
    stream = list(mixed(3, 200))
    for each in stream:
        through.observe(*each)
    for each in stream[:90]:
        first.observe(*each)
    second = Radar.from_state(first.state())
    for each in stream[80:]:
        second.observe(*each)
    assert second.proposals() == through.proposals()
    assert len(through.proposals()) == 3


@pytest.mark.parametrize("lost", ["observed", "clusters", "totals", "background", "heard"])
def test_a_state_that_is_none_is_refused(sky: Sky, radar: Radar, lost: str) -> None:
    sky.show(radar, 0, 2)
    state = {name: value for name, value in radar.state().items() if name != lost}
    with pytest.raises(LookupError):
        Radar.from_state(state)


def test_other_records_change_nothing(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 10)
    before = radar.proposals()
    for event in (None, a_correction(topic=None, priority="high", ticket_id="T-1")):
        radar.fold(event)
    assert radar.proposals() == before


def test_empty_tickets_are_no_examples(radar: Radar, sky: Sky) -> None:
    sky.show(radar, 0, 8, body=" ", subject="")
    [found] = radar.proposals()
    assert found.examples == ()
    assert found.name == "emerging topic"
