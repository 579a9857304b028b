"""Test-then-train: asked before learned, and the curve of late classes worked out by hand."""

import pytest

from services.classifier.evaluation.stream import FIRST_FIT, REFIT_EVERY, Span, prequential
from tests.unit.classifier.evaluation.word_votes import WordVotes


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""


def test_every_ticket_is_asked_before_it_is_learned() -> None:
    model = WordVotes()
    texts = [f"word{row % 2} n{row}" for row in range(60)]
    labels = [f"class{row % 2}" for row in range(60)]
    found = prequential(model, texts, labels, silent)
    # Before the first is learned there is nothing to ask, and then only its class is known.
    assert model.asked == texts[1:]
    assert found.answers.predicted.tolist()[:2] == ["", "class0"]
    assert found.answers.correct[2:].all()


def test_the_model_is_fitted_whenever_the_file_has_doubled_and_refitted_between() -> None:
    model = WordVotes()
    rows = 4 * FIRST_FIT + REFIT_EVERY + 50
    prequential(model, ["x"] * rows, ["a", "b"] * (rows // 2), silent)
    assert model.fitted_rows == [FIRST_FIT, 2 * FIRST_FIT, 4 * FIRST_FIT]
    assert model.refits == 4 * FIRST_FIT // REFIT_EVERY + 1 - 3


def test_one_class_alone_is_never_fitted() -> None:
    model = WordVotes()
    prequential(model, ["x"] * 450, ["a"] * 450, silent)
    assert model.fitted_rows == []
    assert model.refits == 450 // REFIT_EVERY


def test_the_curve_of_a_late_class_counts_its_own_tickets() -> None:
    # `late` comes at row 40 of 80 and is known from its second ticket on.
    texts = ["early"] * 40 + ["late"] * 40
    found = prequential(WordVotes(), texts, texts, silent)
    assert found.late_classes == 1
    assert found.late_curve == [
        Span(1, 5, 5, 0.8),
        Span(6, 10, 5, 1.0),
        Span(11, 20, 10, 1.0),
        Span(21, 40, 20, 1.0),
    ]


def test_the_majority_is_the_commonest_label_so_far() -> None:
    found = prequential(WordVotes(), ["t"] * 5, ["a", "a", "b", "b", "a"], silent)
    # Nothing, a right, a wrong, a wrong (a and b tie at two: the leader stays), a right.
    assert found.majority_accuracy == pytest.approx(2 / 5)


def test_the_points_cover_the_file() -> None:
    found = prequential(WordVotes(), ["t"] * 50, ["a"] * 50, silent)
    assert found.curve[-1].seen == 50
    assert [point.accuracy for point in found.curve][-1] == 1.0


def test_progress_reaches_the_end() -> None:
    seen: list[tuple[int, int]] = []
    prequential(
        WordVotes(), ["t"] * 45, ["a"] * 45, lambda _, done, total: seen.append((done, total))
    )
    assert seen == [(20, 45), (40, 45), (45, 45)]
