"""Tickets: reproducible, and their priority follows from what they say."""

import itertools
from collections import Counter

import pytest

from services.simulator.__main__ import HELPDESK
from services.simulator.domain.arrivals import DAY
from services.simulator.domain.helpdesk import NEW_TOPIC, TOPICS, Agents, Helpdesk
from services.simulator.domain.tickets import LANGUAGES, PRIORITIES, Ticket
from shared.queues import QueueDirectory


def directory() -> QueueDirectory:
    return QueueDirectory.load(HELPDESK)


def tickets(count: int, seed: int = 1, new_topic_after: float = 0) -> list[Ticket]:
    helpdesk = Helpdesk(seed, directory(), rate=count / (28 * DAY), new_topic_after=new_topic_after)
    return list(itertools.islice(helpdesk, count))


@pytest.fixture(scope="module")
def many() -> list[Ticket]:
    return tickets(6_000, new_topic_after=14 * DAY)


def test_the_same_seed_tells_the_same_story() -> None:
    assert tickets(200) == tickets(200)
    assert tickets(200) != tickets(200, seed=2)


def test_a_longer_story_begins_like_a_shorter_one() -> None:
    longer = Helpdesk(1, directory(), rate=1.0, new_topic_after=0)
    shorter = Helpdesk(1, directory(), rate=1.0, new_topic_after=0)
    assert list(itertools.islice(longer, 100))[:50] == list(itertools.islice(shorter, 50))


def test_every_topic_language_and_priority_occurs(many: list[Ticket]) -> None:
    assert {t.topic for t in many} == {*TOPICS, NEW_TOPIC}
    assert {t.language for t in many} == set(LANGUAGES)
    shares = Counter(t.priority for t in many)
    assert set(shares) == set(PRIORITIES)
    assert all(count > 0.08 * len(many) for count in shares.values())


def test_hardly_a_text_occurs_twice(many: list[Ticket]) -> None:
    assert len({t.text for t in many}) > 0.98 * len(many)


def test_the_new_topic_first_appears_midway(many: list[Ticket]) -> None:
    first = next(n for n, t in enumerate(many) if t.topic == NEW_TOPIC)
    assert 0.35 < first / len(many) < 0.65
    assert sum(t.topic == NEW_TOPIC for t in many[first:]) > 0.05 * len(many[first:])


def test_queues_are_known_and_often_left_out(many: list[Ticket]) -> None:
    known = directory()
    named = [t for t in many if t.queue is not None]
    assert 0.25 < len(named) / len(many) < 0.45
    assert {t.queue for t in named} <= known.ids.keys()
    own = sum(t.queue == known.topics[t.topic] for t in named)
    assert 0.85 < own / len(named) < 0.99


def test_priority_follows_from_the_words(many: list[Ticket]) -> None:
    rank = {priority: level for level, priority in enumerate(PRIORITIES)}

    def mean(*words: str) -> float:
        chosen = [rank[t.priority] for t in many if any(word in t.body for word in words)]
        assert len(chosen) > 20, words
        return sum(chosen) / len(chosen)

    assert mean("No rush", "Not urgent", "Не срочно") + 0.7 < mean("review", "Нужно к")
    assert mean("standing still", "Весь офис") > 2.3
    # The same words, denied, mean the opposite: a list of alarming words is not enough.
    assert mean("not the whole team", "не всего отдела") < 1.7


def test_agents_correct_a_share_and_err_in_some() -> None:
    agents = Agents(1, share=0.5, wrong=0.2, delay=10)
    given = [agents.review(f"t{n}", "vpn", "low", tuple(TOPICS)) for n in range(4_000)]
    made = [correction for correction in given if correction is not None]
    assert 0.45 < len(made) / len(given) < 0.55
    assert 0.15 < sum(c.topic != "vpn" for c in made) / len(made) < 0.25
    assert {c.topic for c in made} <= TOPICS.keys()
    assert 8 < sum(c.delay for c in made) / len(made) < 12
    assert all(5 <= c.delay <= 25 for c in made)
