"""The promotion gate."""

import numpy as np
import pytest

from services.classifier.evaluation.gate import decide
from services.classifier.evaluation.metrics import Answers

ROWS = 2_000


def answers(error: float, seed: int, rows: int = ROWS) -> Answers:
    """Answers over five balanced classes, of which this share is wrong."""
    generator = np.random.default_rng(seed)
    labels = np.arange(rows) % 5
    wrong = generator.random(rows) < error
    predicted = (labels + wrong * generator.integers(1, 5, rows)) % 5
    return Answers(labels.astype(np.str_), predicted.astype(np.str_), np.ones(rows, np.float32))


def test_a_better_challenger_is_promoted() -> None:
    verdict = decide(answers(0.2, seed=1), answers(0.1, seed=2))
    assert verdict.promoted
    assert all(found.low > 0 for found in verdict.differences)
    assert [found.figure for found in verdict.differences] == ["accuracy", "macro-F1"]


def test_a_worse_challenger_is_refused_with_the_figure_that_fell() -> None:
    verdict = decide(answers(0.1, seed=1), answers(0.2, seed=2))
    assert not verdict.promoted
    assert "accuracy falls from 0.9" in verdict.reason


def test_the_champion_itself_is_no_worse() -> None:
    champion = answers(0.1, seed=1)
    verdict = decide(champion, champion)
    assert verdict.promoted
    assert all((found.low, found.high) == (0.0, 0.0) for found in verdict.differences)


def test_a_small_but_certain_loss_is_refused() -> None:
    champion = answers(0.1, seed=1, rows=20_000)
    predicted = champion.predicted.copy()
    right = np.flatnonzero(champion.correct)[:40]
    predicted[right] = "lost"
    verdict = decide(champion, Answers(champion.labels, predicted, champion.confidence))
    assert not verdict.promoted


def test_a_rare_class_that_is_given_up_shows_in_macro_f1() -> None:
    labels = np.array(["often"] * 1_960 + ["rare"] * 40, dtype=np.str_)
    sure = np.ones(len(labels), np.float32)
    champion_says = labels.copy()
    champion_says[:50] = "rare"  # fifty mistakes, but the rare ones are found
    challenger_says = np.full(len(labels), "often")
    verdict = decide(Answers(labels, champion_says, sure), Answers(labels, challenger_says, sure))
    assert not verdict.promoted
    assert "macro-F1 falls" in verdict.reason


def test_too_few_tickets_promote_nothing() -> None:
    verdict = decide(answers(0.5, seed=1, rows=49), answers(0.0, seed=2, rows=49))
    assert not verdict.promoted
    assert "49 held-out tickets are too few" in verdict.reason


def test_the_verdict_is_the_same_for_the_same_seed() -> None:
    pair = answers(0.12, seed=1), answers(0.1, seed=2)
    assert decide(*pair, seed=5) == decide(*pair, seed=5)
    assert decide(*pair, seed=5).differences != decide(*pair, seed=6).differences


def test_answers_to_different_tickets_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="same tickets"):
        decide(answers(0.1, seed=1), answers(0.1, seed=1, rows=1_000))


def test_a_ticket_counts_as_many_as_it_stands_for() -> None:
    labels = np.array(["net", "mail"] * 100, dtype=np.str_)
    sure = np.ones(len(labels), np.float32)
    says_net = Answers(labels, np.full(len(labels), "net"), sure)
    says_mail = Answers(labels, np.full(len(labels), "mail"), sure)
    weights = np.where(labels == "net", 3.0, 1.0)
    [accuracy, _] = decide(says_net, says_mail, weights=weights).differences
    assert (accuracy.champion, accuracy.challenger) == (0.75, 0.25)
    assert not decide(says_net, says_mail, weights=weights).promoted
    assert decide(says_mail, says_net, weights=weights).promoted
