"""The radar judged on a stream: topics held out, traffic of known ones, a baseline beside it."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.evaluation.emergence import PER_TOPIC, RadarFigures, emergence
from services.classifier.evaluation.tables import LabelledTickets
from services.classifier.models.semantic.heads import SecondLook

Array = NDArray[np.float32]
TOPICS = ("mail", "vpn", "beamer", "coffee")


class Pointing:
    """Vectors by the first word; what was fitted is usual, the rest as novel as can be."""

    def __init__(self, *, sees_novelty: bool = True) -> None:
        self._sees_novelty = sees_novelty
        self._generator = np.random.default_rng(0)
        self.known: set[str] = set()
        self.learned: list[str] = []

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        self.known = set(labels)
        self.learned += texts

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        sure = [0.99 if text.split(" ")[0] in self.known else 0.4 for text in texts]
        return np.array([[p, 1 - p] for p in sure], np.float32)

    def second_look(self, texts: Sequence[str]) -> SecondLook:
        words = [text.split(" ")[0] for text in texts]
        noise = self._generator.standard_normal((len(texts), 512)) / 80
        for row, word in enumerate(words):
            noise[row, TOPICS.index(word)] += 1.0
        vectors = (noise / np.linalg.norm(noise, axis=1, keepdims=True)).astype(np.float32)
        doubt = [9.0 if w not in self.known and self._sees_novelty else 0.0 for w in words]
        empty = np.zeros((len(texts), 0), np.float32)
        return SecondLook((), empty, vectors, np.array(doubt, np.float32))


def tickets(each: int) -> LabelledTickets:
    labels = [name for name in TOPICS for _ in range(each)]
    texts = [f"{name} is broken again {n}" for n, name in enumerate(labels)]
    return LabelledTickets(list(range(len(labels))), texts, labels, [], 0)


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""


def found(model: Pointing, share: float = 1.0, each: int = 60) -> RadarFigures:
    return emergence(
        model, tickets(each), tickets(30), ("beamer", "coffee"),
        centred=lambda vectors: vectors, share=share, seed=0, report=silent,
    )  # fmt: skip


def test_unknown_topics_are_proposed_and_known_ones_are_not() -> None:
    figures = found(Pointing())
    assert (figures.radar.topics, figures.radar.found, figures.radar.false) == (2, 2, 0)
    assert figures.radar.purity == 1.0
    assert 8 <= figures.radar.tickets_median <= figures.radar.tickets_most <= PER_TOPIC


def test_without_novelty_the_known_are_proposed_too() -> None:
    figures = found(Pointing())
    assert figures.ungated.found == 2
    assert figures.ungated.false == 2


def test_a_model_that_sees_nothing_new_proposes_nothing() -> None:
    figures = found(Pointing(sees_novelty=False))
    assert (figures.radar.found, figures.radar.proposals) == (0, 0)
    assert np.isnan(figures.radar.tickets_median)


def test_no_ticket_of_an_unknown_topic_is_learned() -> None:
    model = Pointing()
    figures = found(model)
    assert model.known == {"mail", "vpn"}
    assert not any("beamer" in text or "coffee" in text for text in model.learned)
    assert figures.tickets == 2 * 30 + 2 * PER_TOPIC


def test_the_least_sure_are_enough() -> None:
    figures = found(Pointing(), share=0.6)
    assert figures.observed < figures.tickets
    assert figures.radar.found == 2


@pytest.mark.parametrize("each", [2, 20])
def test_a_topic_with_few_tickets_gives_all_it_has(each: int) -> None:
    model = Pointing()
    figures = emergence(
        model, tickets(each), tickets(each), ("beamer",),
        centred=lambda vectors: vectors, share=1.0, seed=1, report=silent,
    )  # fmt: skip
    assert figures.tickets == 3 * each + min(2 * each, PER_TOPIC)
    assert figures.radar.found == int(2 * each >= 8)
