"""The batch model: what it promises as a TextClassifier, and how it treats odd texts."""

import numpy as np
import pytest

from services.classifier.models.batch.classifier import BatchClassifier, BatchLabeller
from services.classifier.models.batch.tfidf import MAX_CHARACTERS, normalise

WORDS = {
    "network": ["vpn", "wifi", "router", "VPN drops", "no internet"],
    "mail": ["outlook", "mailbox", "inbox full", "cannot send letter", "почта"],
    "printer": ["toner", "paper jam", "printer offline", "drucker", "печать"],
}


def corpus(repeats: int) -> tuple[list[str], list[str]]:
    texts, labels = [], []
    for turn in range(repeats):
        for label, words in WORDS.items():
            texts += [f"{word} please help {turn}" for word in words]
            labels += [label] * len(words)
    return texts, labels


@pytest.fixture(scope="module")
def fitted() -> BatchClassifier:
    model = BatchClassifier(seed=1)
    model.fit(*corpus(repeats=30))
    return model


def test_it_learns_in_every_script(fitted: BatchClassifier) -> None:
    texts = ["my VPN is slow", "ПОЧТА не работает", "Der DRUCKER druckt nicht"]
    best = fitted.predict_proba(texts).argmax(axis=1)
    assert [fitted.classes[column] for column in best] == ["network", "mail", "printer"]


def test_probabilities_are_float32_rows_that_sum_to_one(fitted: BatchClassifier) -> None:
    table = fitted.predict_proba(["vpn", "", "toner vpn", "\ud800"])
    assert table.shape == (4, 3)
    assert table.dtype == np.float32
    np.testing.assert_allclose(table.sum(axis=1), 1.0, atol=1e-6)


def test_no_texts_give_no_rows(fitted: BatchClassifier) -> None:
    assert fitted.predict_proba([]).shape == (0, 3)
    assert fitted.novelty([]).shape == (0,)


def test_the_answer_does_not_depend_on_the_batch(fitted: BatchClassifier) -> None:
    texts, _ = corpus(repeats=2)
    together = fitted.predict_proba(texts)
    alone = np.concatenate([fitted.predict_proba([text]) for text in texts])
    np.testing.assert_array_equal(together, alone)


def test_equal_seeds_give_equal_models() -> None:
    first, second = BatchClassifier(seed=3), BatchClassifier(seed=3)
    for model in (first, second):
        model.fit(*corpus(repeats=12))
    np.testing.assert_array_equal(first.predict_proba(["vpn"]), second.predict_proba(["vpn"]))


def test_what_was_never_seen_is_more_novel(fitted: BatchClassifier) -> None:
    known, strange = fitted.novelty(["vpn please help", "quarterly salary bonus question"])
    assert strange > known


def test_the_hold_out_is_a_tenth_and_was_answered_by_a_model_that_had_not_seen_it(
    fitted: BatchClassifier,
) -> None:
    texts, labels = corpus(repeats=30)
    assert fitted.held_out is not None
    assert len(fitted.held_out.labels) == pytest.approx(len(texts) / 10, abs=3)
    assert set(fitted.held_out.labels) == set(labels)


def test_calibration_brings_confidence_to_the_measured_accuracy() -> None:
    # Labels that are wrong one time in four: no text may be answered with near certainty.
    generator = np.random.default_rng(0)
    texts = [f"{'vpn' if row % 2 else 'mail'} {row % 7}" for row in range(2_400)]
    labels = [
        ("net" if row % 2 else "post") if generator.random() > 0.25 else "other"
        for row in range(2_400)
    ]
    model = BatchClassifier()
    model.fit(texts, labels)
    assert model.predict_proba(texts).max(axis=1).mean() == pytest.approx(0.75, abs=0.03)


def test_too_few_rows_for_a_hold_out_are_learned_all_the_same() -> None:
    model = BatchClassifier()
    model.fit(["vpn drops", "mail lost"], ["net", "post"])
    assert model.held_out is None
    assert model.predict_proba(["vpn"])[0].argmax() == model.classes.index("net")


def test_fewer_than_two_classes_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match="at least two classes; the labels hold only 'net'"):
        BatchClassifier().fit(["a text"] * 2, ["net"] * 2)


def test_texts_without_a_word_are_refused_in_a_sentence() -> None:
    with pytest.raises(ValueError, match="no text holds a word"):
        BatchClassifier().fit(["", " "], ["a", "b"])
    with pytest.raises(ValueError, match="no text holds a word"):
        BatchClassifier().fit([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("STRASSE Straße", "strasse strasse"),
        ("ЁЖ", "ёж"),
        ("cafe\u0301", "café"),
        ("\ud800x", "?x"),
        ("x" * 2 * MAX_CHARACTERS, "x" * MAX_CHARACTERS),
    ],
)
def test_texts_are_folded_before_counting(text: str, expected: str) -> None:
    assert normalise(text) == expected


@pytest.fixture(scope="module")
def labeller() -> BatchLabeller:
    texts, topics = corpus(repeats=12)
    priorities = ["high" if topic == "network" else "low" for topic in topics]
    return BatchLabeller.train(texts, topics, priorities, seed=1)


def test_both_heads_answer(labeller: BatchLabeller) -> None:
    found = labeller.label(["vpn please help", "toner please help"])
    assert found.topic.classes == ("mail", "network", "printer")
    assert found.topic.probabilities.argmax(axis=1).tolist() == [1, 2]
    assert found.priority is not None
    assert found.priority.classes == ("high", "low")
    assert found.priority.probabilities.argmax(axis=1).tolist() == [0, 1]


def test_without_priorities_there_is_no_priority_head() -> None:
    assert BatchLabeller.train(*corpus(repeats=3)).label(["vpn"]).priority is None


def test_a_labeller_answers_the_same_after_a_round_through_its_state(
    labeller: BatchLabeller,
) -> None:
    twin = BatchLabeller.from_state(labeller.state(), "v1")
    texts, _ = corpus(repeats=1)
    np.testing.assert_array_equal(
        twin.label(texts).topic.probabilities, labeller.label(texts).topic.probabilities
    )
    assert twin.identity.digest == labeller.identity.digest
    assert twin.identity.version == "v1"


def test_the_digest_follows_the_content(labeller: BatchLabeller) -> None:
    same = BatchLabeller.train(*corpus(repeats=3))
    again = BatchLabeller.train(*corpus(repeats=3))
    assert same.identity.digest == again.identity.digest
    assert same.identity.digest != labeller.identity.digest


def test_each_step_is_reported() -> None:
    steps: list[str] = []
    BatchLabeller.train(*corpus(repeats=30), report=steps.append)
    assert steps[0] == "counting words and character n-grams"
    assert steps[-1] == "topic: fitting on everything"
