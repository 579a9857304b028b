"""The cascade, the exemplars and day zero."""

import numpy as np
import pytest

from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.classifier import FastClassifier
from services.classifier.models.semantic.cascade import SemanticCascade
from services.classifier.models.semantic.experts import ExemplarMemory
from services.classifier.models.semantic.zero import ZeroShot, spoken

Desk = tuple[list[str], list[str]]


@pytest.fixture
def cascade(desk: Desk, bag_encoder: Encoder) -> SemanticCascade:
    model = SemanticCascade(FastClassifier(encoder=bag_encoder), share=0.25, encoder=bag_encoder)
    model.fit(*desk)
    return model


def test_only_the_least_sure_are_encoded(cascade: SemanticCascade, desk: Desk) -> None:
    fast = cascade._fast.predict_proba(desk[0])
    found = cascade.predict_proba(desk[0])
    changed = (found != fast).any(axis=1)
    assert cascade.semantic_share == 0.25
    assert fast[changed].max(axis=1).max() <= np.quantile(fast.max(axis=1), 0.25) + 1e-6
    assert changed.any()


def test_a_share_of_nothing_is_the_fast_model(desk: Desk, bag_encoder: Encoder) -> None:
    model = SemanticCascade(FastClassifier(encoder=bag_encoder), share=0.0, encoder=bag_encoder)
    model.fit(*desk)
    assert np.array_equal(model.predict_proba(desk[0]), model._fast.predict_proba(desk[0]))


def test_a_share_beyond_one_is_refused(bag_encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        SemanticCascade(FastClassifier(), share=1.5, encoder=bag_encoder)


def test_corrections_reach_both_stages(cascade: SemanticCascade, desk: Desk) -> None:
    for text in ("the elevator is stuck", "elevator doors do not open", "stuck in the elevator"):
        cascade.correct(text, "building")
    cascade.share = 1.0
    for _ in range(2):
        found = cascade.predict_proba(["elevator stuck", *desk[0][:40]])
        assert cascade.classes[int(found[0].argmax())] == "building"
        right = [
            cascade.classes[a] == y for a, y in zip(found[1:].argmax(1), desk[1], strict=False)
        ]
        assert np.mean(right) > 0.9
        cascade.refit()


def test_the_same_calls_give_the_same_bits(
    cascade: SemanticCascade, desk: Desk, bag_encoder: Encoder
) -> None:
    twin = SemanticCascade(FastClassifier(encoder=bag_encoder), share=0.25, encoder=bag_encoder)
    twin.fit(*desk)
    for model in (cascade, twin):
        model.correct("the elevator is stuck", "building")
        model.refit()
    assert np.array_equal(cascade.predict_proba(desk[0]), twin.predict_proba(desk[0]))
    assert np.array_equal(cascade.novelty(desk[0]), twin.novelty(desk[0]))


def test_strange_texts_are_novel(cascade: SemanticCascade, desk: Desk) -> None:
    assert cascade.novelty(["qwertz uiop"])[0] > np.quantile(cascade.novelty(desk[0]), 0.9)


def test_empty_texts_keep_the_fast_answer(cascade: SemanticCascade) -> None:
    cascade.share = 1.0
    assert np.array_equal(cascade.predict_proba([""] * 40), cascade._fast.predict_proba([""] * 40))


def test_exemplars_keep_the_latest_of_each_class() -> None:
    memory = ExemplarMemory(np.zeros(2, np.float32))
    memory.add(np.array([[0, 1]] * 40 + [[1, 0]] * 30, np.float32), [0] * 70)
    memory.add(np.array([[0, 1]], np.float32), [1])
    scores = memory.scores(np.array([[0, 1], [0, 0]], np.float32), 3)
    assert scores.tolist() == [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert len(memory) == 31


class TestZeroShot:
    def test_names_are_enough(self, universal_encoder: Encoder) -> None:
        names = ["printer_problem", "passwordReset", "invoice-and-payment"]
        model = ZeroShot(names, encoder=universal_encoder)
        texts = [
            "The printer does not print", "I forgot my password", "You charged me twice",
            "Der Drucker druckt nicht", "Я забыл пароль", "Die Rechnung ist falsch",
        ]  # fmt: skip
        answers = model.predict_proba(texts).argmax(axis=1).tolist()
        assert answers == [0, 1, 2, 0, 1, 2]

    def test_a_description_helps(self, universal_encoder: Encoder) -> None:
        model = ZeroShot(
            ["L2", "FAC"],
            descriptions={"L2": "servers and databases", "FAC": "rooms, heating and elevators"},
            encoder=universal_encoder,
        )
        found = model.predict_proba(["the heating is cold", "the database server is down"])
        assert found.argmax(axis=1).tolist() == [1, 0]

    def test_an_empty_text_is_equally_everything(self, bag_encoder: Encoder) -> None:
        model = ZeroShot(["a", "b"], encoder=bag_encoder)
        assert model.predict_proba([""]).tolist() == [[0.5, 0.5]]

    def test_one_name_is_refused(self, bag_encoder: Encoder) -> None:
        with pytest.raises(ValueError, match="at least two classes"):
            ZeroShot(["a", "a"], encoder=bag_encoder)

    @pytest.mark.parametrize(
        ("name", "said"),
        [("card_not_working", "card not working"), ("cardArrival", "card arrival"), ("VPN", "vpn")],
    )
    def test_names_are_spoken(self, name: str, said: str) -> None:
        assert spoken(name) == said
