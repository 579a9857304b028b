"""applied, suggested, shadow."""

import numpy as np
import pytest

from services.classifier.domain.decisions import decisions
from services.classifier.domain.labelling import HeadScores, Labelling

ROWS = np.array([[0.9, 0.1], [0.7, 0.3], [0.1, 0.9], [0.5, 0.5]], np.float32)


def decided(thresholds: tuple[float, float] | None, *, shadow: bool = False) -> list[str]:
    given = None if thresholds is None else np.asarray(thresholds, np.float32)
    answer = Labelling(HeadScores(("vpn", "printer"), ROWS), None, thresholds=given)
    return list(decisions(answer, ROWS.argmax(axis=1), shadow=shadow))


def test_each_topic_is_held_to_its_own_threshold() -> None:
    assert decided((0.8, 0.95)) == ["applied", "suggested", "suggested", "suggested"]
    assert decided((0.5, 0.9)) == ["applied", "applied", "applied", "applied"]


@pytest.mark.parametrize("thresholds", [None, (np.inf, np.inf)])
def test_without_evidence_everything_is_suggested(thresholds: tuple[float, float] | None) -> None:
    assert set(decided(thresholds)) == {"suggested"}


def test_a_deployment_that_only_watches_applies_nothing() -> None:
    assert set(decided((0.0, 0.0), shadow=True)) == {"shadow"}


def test_no_tickets_no_decisions() -> None:
    answer = Labelling(HeadScores(("vpn",), np.zeros((0, 1), np.float32)), None)
    assert list(decisions(answer, np.zeros(0, np.int64))) == []
