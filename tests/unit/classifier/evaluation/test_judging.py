"""The whole report on a model whose answers are known."""

import numpy as np
import pytest

from services.classifier.evaluation.judging import BATCH, answer, judge, novelty
from services.classifier.evaluation.metrics import Answers
from tests.unit.classifier.evaluation.word_votes import WordVotes


def fitted() -> WordVotes:
    model = WordVotes()
    model.fit(["vpn", "mail", "mail"], ["net", "post", "post"])
    return model


def test_every_figure_is_filled() -> None:
    model = fitted()
    texts, labels = ["vpn", "mail", "vpn", "mail"], ["net", "post", "post", "post"]
    answers = Answers.of(labels, model.classes, model.predict_proba(texts))
    found = judge(
        model,
        answers,
        texts,
        train_labels=["net", "post", "post"],
        out_of_scope=["zebra"],
        semantic_share=0.25,
        fit_cpu_seconds=1.5,
    )
    assert found.accuracy == 0.75
    assert found.majority_accuracy == 0.75
    assert found.oos_auroc == 1.0
    assert (found.semantic_share, found.fit_cpu_seconds) == (0.25, 1.5)
    assert (found.test_rows, found.classes) == (4, 2)
    assert [(pair.label, pair.predicted) for pair in found.worst_pairs] == [("post", "net")]
    assert found.tickets_per_cpu_second > 0


def test_without_out_of_scope_tickets_there_is_no_auroc() -> None:
    model = fitted()
    answers = Answers.of(["net"], model.classes, model.predict_proba(["vpn"]))
    found = judge(
        model,
        answers,
        ["vpn"],
        train_labels=["net"],
        out_of_scope=[],
        semantic_share=0.0,
        fit_cpu_seconds=0.0,
    )
    assert found.oos_auroc is None


def test_long_test_sets_are_asked_in_serving_batches() -> None:
    model, done = fitted(), []
    texts = ["vpn", "mail"] * BATCH
    table = answer(model, texts, lambda _, count, total: done.append((count, total)))
    assert done == [(BATCH, 2 * BATCH), (2 * BATCH, 2 * BATCH)]
    np.testing.assert_array_equal(table, model.predict_proba(texts))
    assert novelty(model, texts).shape == (2 * BATCH,)


@pytest.mark.parametrize("rows", [1, BATCH, BATCH + 1])
def test_no_row_is_lost_at_the_edge_of_a_batch(rows: int) -> None:
    assert len(answer(fitted(), ["vpn"] * rows, lambda *_: None)) == rows
