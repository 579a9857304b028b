"""The corpus asks for learning: keywords do badly, a linear model well, neither is perfect."""

import itertools
import re
from collections import Counter

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline

from services.simulator.__main__ import HELPDESK
from services.simulator.domain.arrivals import DAY
from services.simulator.domain.helpdesk import Helpdesk
from services.simulator.domain.tickets import Ticket
from shared.queues import QueueDirectory

TRAIN, TEST = 3_000, 1_000
WORDS_PER_TOPIC = 8


@pytest.fixture(scope="module")
def corpus() -> list[Ticket]:
    directory = QueueDirectory.load(HELPDESK)
    helpdesk = Helpdesk(5, directory, rate=4_000 / (28 * DAY), new_topic_after=0)
    return list(itertools.islice(helpdesk, TRAIN + TEST))


def words(ticket: Ticket) -> set[str]:
    return set(re.findall(r"\w+", ticket.text.lower()))


def keyword_accuracy(train: list[Ticket], test: list[Ticket]) -> float:
    """The best list there is: per topic the words most peculiar to it, in the training part."""
    sizes = Counter(t.topic for t in train)
    seen = Counter(word for t in train for word in words(t))
    within = Counter((t.topic, word) for t in train for word in words(t))
    lists: dict[str, list[str]] = {}
    for topic, size in sizes.items():
        scores = {
            word: count / seen[word] * (count / size) ** 0.5
            for (owner, word), count in within.items()
            if owner == topic and count > 5
        }
        lists[topic] = sorted(scores, key=scores.__getitem__)[-WORDS_PER_TOPIC:]

    def answer(ticket: Ticket) -> str:
        present = words(ticket)
        return max(lists, key=lambda topic: (sum(w in present for w in lists[topic]), sizes[topic]))

    return sum(answer(t) == t.topic for t in test) / len(test)


def linear_accuracy(train: list[Ticket], test: list[Ticket], head: str) -> float:
    model = make_pipeline(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        SGDClassifier(loss="log_loss", alpha=1e-5, random_state=0),
    )
    model.fit([t.text for t in train], [getattr(t, head) for t in train])
    return float(model.score([t.text for t in test], [getattr(t, head) for t in test]))


def test_topics_are_learned_not_looked_up(corpus: list[Ticket]) -> None:
    train, test = corpus[:TRAIN], corpus[TRAIN:]
    keywords, linear = keyword_accuracy(train, test), linear_accuracy(train, test, "topic")
    majority = max(Counter(t.topic for t in test).values()) / TEST
    assert majority < 0.2 < keywords
    assert keywords + 0.15 < linear
    assert linear < 0.99


def test_priorities_are_learned_too(corpus: list[Ticket]) -> None:
    train, test = corpus[:TRAIN], corpus[TRAIN:]
    majority = max(Counter(t.priority for t in test).values()) / TEST
    assert majority + 0.2 < linear_accuracy(train, test, "priority") < 0.97
