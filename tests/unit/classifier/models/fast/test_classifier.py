"""The hot path's classifier: what it learns, how it takes corrections, and bad input."""

import numpy as np
import pytest

from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.classifier import FastClassifier
from services.classifier.models.fast.explanation import top_words

Desk = tuple[list[str], list[str]]
TICKET = "the elevator to the third floor is stuck"


def accuracy(model: FastClassifier, texts: list[str], labels: list[str]) -> float:
    answers = model.predict_proba(texts).argmax(axis=1)
    return float(np.mean([model.classes[a] == y for a, y in zip(answers, labels, strict=True)]))


@pytest.fixture(params=["n-grams alone", "with word rows"])
def model(request: pytest.FixtureRequest, desk: Desk) -> FastClassifier:
    with_words = request.param == "with word rows"
    encoder = request.getfixturevalue("bag_encoder") if with_words else None
    model = FastClassifier(encoder=encoder)
    model.fit(desk[0][:120], desk[1][:120])
    return model


def test_learns(model: FastClassifier, desk: Desk) -> None:
    assert accuracy(model, desk[0][120:], desk[1][120:]) > 0.9


def test_rows_are_probabilities(model: FastClassifier, desk: Desk) -> None:
    found = model.predict_proba(desk[0])
    assert found.shape == (160, 4)
    assert found.min() >= 0
    assert found.sum(axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_same_calls_give_the_same_bits(model: FastClassifier, desk: Desk) -> None:
    twin = FastClassifier(encoder=model._table._encoder if model._table else None)
    twin.fit(desk[0][:120], desk[1][:120])
    for one in (model, twin):
        one.correct(TICKET, "building")
        one.refit()
    assert np.array_equal(model.predict_proba(desk[0]), twin.predict_proba(desk[0]))


def test_a_batch_gives_the_bits_of_single_texts(model: FastClassifier, desk: Desk) -> None:
    long = [" ".join([text] * 250) for text in desk[0][:50]]  # more than are featurised at once
    for texts in (desk[0], long):
        for ask in (model.predict_proba, model.logits, model.novelty):
            alone = np.concatenate([ask([text]) for text in texts])
            assert np.array_equal(ask(texts), alone)


def test_a_correction_counts_at_the_next_prediction(model: FastClassifier) -> None:
    model.correct(TICKET, "building")
    assert model.classes[-1] == "building"
    assert model.classes[int(model.predict_proba([TICKET]).argmax())] == "building"


def test_a_refit_keeps_old_topics_and_new_ones(model: FastClassifier, desk: Desk) -> None:
    for text in (TICKET, "the elevator is stuck again", "elevator doors do not open"):
        model.correct(text, "building")
    model.refit()
    assert accuracy(model, desk[0][120:], desk[1][120:]) > 0.9
    assert model.classes[int(model.predict_proba(["elevator is stuck"]).argmax())] == "building"


def test_the_last_of_contradictory_corrections_counts(model: FastClassifier) -> None:
    for label in ("network", "access", "building"):
        model.correct(TICKET, label)
    model.refit()
    assert model.classes[int(model.predict_proba([TICKET]).argmax())] == "building"


def test_a_withdrawn_correction_is_forgotten_by_the_refit(model: FastClassifier) -> None:
    model.refit()
    before = model.predict_proba([TICKET])
    model.correct(TICKET, "network")
    assert model.withdraw(TICKET)
    assert not model.withdraw(TICKET)
    model.refit()
    assert model.predict_proba([TICKET]).max() == pytest.approx(before.max(), abs=0.2)


def test_a_refit_that_costs_old_topics_is_refused(desk: Desk) -> None:
    texts = [f"{text} {i}" for i in range(8) for text in desk[0]]
    model = FastClassifier()
    model.fit(texts, desk[1] * 8)
    for text, label in zip(texts[:600], (desk[1] * 8)[:600], strict=True):
        model._memory.correct(text, "printing" if label == "finance" else "finance")
    before = model.predict_proba(texts)
    model.refit()
    assert model.refused_refits == 1
    assert np.array_equal(model.predict_proba(texts), before)


def test_unlike_texts_are_more_novel(model: FastClassifier, desk: Desk) -> None:
    strange = model.novelty(["qwertz uiop", "бесплатный сыр", "∑∫√"])
    assert strange.min() > np.quantile(model.novelty(desk[0]), 0.9)


def test_why_names_the_telling_word(model: FastClassifier) -> None:
    told = top_words(model, "please help with the printer", "printing")
    assert told[0][0] == "printer"
    assert all(share > 0 for _, share in told)


def test_words_met_often_are_told_of_and_read(desk: Desk, bag_encoder: Encoder) -> None:
    model = FastClassifier(encoder=bag_encoder)
    model.fit(*desk)
    met = ["flibbertigibbet printer", "id4711 printer", "x" * 50]
    before = model.predict_proba(met, live=True)
    assert model.take_met_words() == []
    for _ in range(2):
        model.predict_proba(met, live=True)
        model.predict_proba(["no ticket but a gaberlunzie"])
    assert model.take_met_words() == ["flibbertigibbet"]
    assert model.take_met_words() == []
    assert model.read(["flibbertigibbet"]) == 1
    assert model.read(["flibbertigibbet", "printer"]) == 0
    after = model.predict_proba(met)
    assert not np.array_equal(before[0], after[0])
    assert np.array_equal(before[1:], after[1:])
    for _ in range(3):
        model.predict_proba(met, live=True)
    assert model.take_met_words() == []


def test_fewer_than_two_classes_are_refused() -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        FastClassifier().fit(["a", "b"], ["x", "x"])
    with pytest.raises(ValueError, match="2 texts but 1 labels"):
        FastClassifier().fit(["a", "b"], ["x"])


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "\x00", "x" * 1_000_000, "aaaa " * 2_000, "\ud800\udfff", "<s></s><unk>",
        "مرحبا، الطابعة لا تعمل", "🙂🙂🙂", "THE PRINTER IS BROKEN", "\u200b\u200f\ufeff",
    ],
)  # fmt: skip
def test_bad_input_has_an_answer(model: FastClassifier, text: str) -> None:
    found = model.predict_proba([text])
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1.0, abs=1e-5)
    assert np.isfinite(model.novelty([text])).all()
    model.correct(text, "printing")


def test_nothing_asked_nothing_answered(model: FastClassifier) -> None:
    assert model.predict_proba([]).shape == (0, 4)
    assert model.novelty([]).shape == (0,)


def test_ten_thousand_topics(bag_encoder: Encoder) -> None:
    names = [f"topic{i}" for i in range(10_000)]
    model = FastClassifier(encoder=bag_encoder)
    model.fit([f"ticket about {name}" for name in names], names)
    assert model.predict_proba(["ticket about topic77"]).shape == (1, 10_000)
    assert model._head._weights.nbytes <= 100 << 20
