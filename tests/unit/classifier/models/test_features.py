"""Packing, n-grams and the vocabulary: what a text becomes before any weight is looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.classifier.models.lexical.packing import CHARACTER_CAP, pack, runs
from services.classifier.models.lexical.vocabulary import Vocabulary


def rows_of(vocabulary: Vocabulary, text: str) -> dict[int, float]:
    found = vocabulary.features([text])
    return dict(zip(found.rows.tolist(), found.values.tolist(), strict=True))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("DRUCKER GROẞ", "drucker gross"),
        ("ПРИНТЕР НЕ РАБОТАЕТ", "принтер не работает"),
        ("cafe\u0301", "CAFÉ"),
        ("ΟΔΟΣ", "οδος"),
    ],
)
def test_capitals_and_composition_do_not_matter_in_any_script(one: str, other: str) -> None:
    vocabulary = Vocabulary()
    vocabulary.learn([one])
    vocabulary.weigh()
    assert rows_of(vocabulary, one) == rows_of(vocabulary, other) != {}


def test_lone_surrogates_and_zero_characters_pack() -> None:
    assert bytes(pack(["a\ud800b", "c\x00d"])) == b"a?b\x00c d\x00"


def test_a_megabyte_is_clipped() -> None:
    assert len(pack(["x" * 1_000_000])) == CHARACTER_CAP + 1


def test_punctuation_parts_words_in_every_script() -> None:
    vocabulary = Vocabulary()
    found = vocabulary.features(["«принтер»—сломан… “ok”、打印机"])
    words = [found.word(i) for i in range(len(found.words))]
    assert words == ["принтер", "сломан", "ok", "打印机"]


def test_unknown_features_are_left_out() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["printer"])
    vocabulary.weigh()
    assert rows_of(vocabulary, "zebra") == {}


def test_each_family_of_features_has_unit_length() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["the printer is on fire", "the wifi is slow"])
    vocabulary.weigh()
    values = vocabulary.features(["the printer is slow slow slow"]).values
    assert np.square(values).sum() == pytest.approx(2.0, rel=1e-5)


def test_pruning_keeps_the_weights_of_what_stays() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["alpha beta", "alpha gamma", "alpha"])
    before = dict(zip(vocabulary.hashes().tolist(), vocabulary.frequencies(), strict=True))
    vocabulary.prune(2, 1_000)
    after = dict(zip(vocabulary.hashes().tolist(), vocabulary.frequencies(), strict=True))
    assert after == {value: count for value, count in before.items() if count >= 2}
    assert 0 < len(vocabulary) < len(before)


def test_pruning_to_a_size_keeps_the_most_frequent() -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(["alpha", "alpha", "beta"])
    vocabulary.prune(1, 3)
    assert vocabulary.frequencies().tolist() == [2, 2, 2]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_a_text_has_the_same_features_alone_as_in_a_batch(texts: list[str]) -> None:
    vocabulary = Vocabulary()
    vocabulary.learn(texts)
    vocabulary.weigh()
    batch = vocabulary.features(texts).copied()
    for i, text in enumerate(texts):
        alone = vocabulary.features([text])
        part = slice(batch.starts[i], batch.starts[i + 1])
        assert np.array_equal(batch.rows[part], alone.rows)
        assert np.array_equal(batch.values[part], alone.values)


@given(
    sizes=st.lists(st.sampled_from([0, 1, 300, CHARACTER_CAP - 1, 5 * CHARACTER_CAP])),
    at_once=st.sampled_from([1_000, 20_000, 10 * CHARACTER_CAP]),
)
def test_long_texts_are_featurised_a_few_at_a_time(sizes: list[int], at_once: int) -> None:
    texts = [str(at % 10) * size for at, size in enumerate(sizes)]
    found = [texts[run] for run in runs(texts, at_once)]
    assert [text for part in found for text in part] == texts
    for part in found:
        assert len(part) == 1 or sum(min(len(text), CHARACTER_CAP) for text in part) <= at_once
