"""Backing off to the parent: when, to which, and never for topics without one."""

from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.domain.labelling import HeadScores
from services.classifier.domain.topic_tree import BackedOff, ancestors, back_off, threshold_of

CLASSES = ("billing/refund", "billing/invoice", "it/network/vpn", "it/network/wifi", "it/mail", "x")


def answer(
    *row: float, thresholds: float | list[float] = 0.9, classes: tuple[str, ...] = CLASSES
) -> BackedOff | None:
    head = HeadScores(classes, np.array([row], np.float32))
    limits = np.broadcast_to(np.asarray(thresholds, np.float32), (len(classes),))
    [found] = back_off(head, limits)
    return found


@pytest.mark.parametrize(
    ("topic", "parents"),
    [
        ("vpn", []),
        ("billing/refund", ["billing"]),
        ("it/network/vpn", ["it", "it/network"]),
        ("/a", []),
        ("a//b", []),
        ("a/", []),
        ("", []),
    ],
)
def test_ancestors(topic: str, parents: list[str]) -> None:
    assert ancestors(topic) == parents


def test_a_sure_leaf_stands() -> None:
    assert answer(0.92, 0.08, 0, 0, 0, 0) is None


def test_unsure_siblings_are_their_parent() -> None:
    found = answer(0.5, 0.45, 0, 0, 0, 0.05)
    assert found is not None
    assert found.topic == "billing"
    assert found.probability == pytest.approx(0.95)


def test_the_deepest_sure_parent_answers() -> None:
    found = answer(0, 0, 0.5, 0.42, 0.08, 0)
    assert found is not None
    assert found.topic == "it/network"
    found = answer(0, 0, 0.4, 0.3, 0.25, 0.05)
    assert found is not None
    assert found.topic == "it"


def test_an_unsure_parent_answers_nothing() -> None:
    assert answer(0.4, 0.3, 0.1, 0.1, 0.1, 0) is None


def test_names_of_one_level_never_change() -> None:
    classes = ("billing", "it", "x")
    assert answer(0.5, 0.45, 0.05, classes=classes) is None


def test_a_parent_that_is_a_topic_itself_counts_with_those_below() -> None:
    classes = ("billing", "billing/refund", "x")
    found = answer(0.5, 0.45, 0.05, classes=classes)
    assert found is not None
    assert found.topic == "billing"
    assert found.probability == pytest.approx(0.95)


def test_the_strictest_threshold_below_a_parent_is_its_own() -> None:
    assert answer(0.5, 0.4, 0, 0, 0, 0.1, thresholds=[0.7, 0.95, 0.5, 0.5, 0.5, 0.5]) is None
    found = answer(0.5, 0.46, 0, 0, 0, 0.04, thresholds=[0.7, 0.95, 0.5, 0.5, 0.5, 0.5])
    assert found is not None


def test_a_leaf_that_is_never_sure_may_have_a_sure_parent() -> None:
    found = answer(0.96, 0.04, 0, 0, 0, 0, thresholds=[inf, 0.9, 0.9, 0.9, 0.9, 0.9])
    assert found is not None
    assert found.topic == "billing"


def test_thresholds_by_name() -> None:
    limits = np.array([0.7, 0.95, inf, inf, inf, 0.3], np.float32)
    names = ("billing/refund", "billing", "it/network", "x", "nobody")
    found = [threshold_of(name, CLASSES, limits) for name in names]
    assert found == pytest.approx([0.7, 0.95, inf, 0.3, inf])


def test_nothing_granted_nothing_backs_off() -> None:
    assert answer(0.5, 0.5, 0, 0, 0, 0, thresholds=inf) is None
    head = HeadScores(CLASSES, np.array([[0.5, 0.5, 0, 0, 0, 0]], np.float32))
    assert back_off(head, None) == [None]


def test_a_threshold_of_nothing_is_still_no_guess() -> None:
    assert answer(0.2, 0.2, 0.2, 0.1, 0.1, 0.2, thresholds=0.25) is None


def test_no_tickets_no_answers() -> None:
    head = HeadScores(CLASSES, np.zeros((0, len(CLASSES)), np.float32))
    assert back_off(head, np.full(len(CLASSES), 0.9, np.float32)) == []


@given(
    st.lists(st.text(alphabet="ab/", min_size=1, max_size=6), min_size=1, max_size=8, unique=True),
    st.integers(0, 2**32 - 1),
    st.floats(0.05, 1.0),
)
def test_it_only_answers_what_it_is_sure_of(names: list[str], seed: int, threshold: float) -> None:
    generator = np.random.default_rng(seed)
    rows = generator.dirichlet(np.ones(len(names)), size=6).astype(np.float32)
    limits = np.full(len(names), threshold, np.float32)
    for row, found in zip(rows, back_off(HeadScores(tuple(names), rows), limits), strict=True):
        if found is not None:
            below = [
                p
                for p, n in zip(row, names, strict=True)
                if n == found.topic or found.topic in ancestors(n)
            ]
            assert found.probability == pytest.approx(sum(below), abs=1e-5)
            assert found.probability >= max(threshold, 0.5) - 1e-5
            assert row.max() < threshold
