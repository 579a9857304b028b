"""Day zero: names, descriptions and the first examples, in any language and in any order."""

import numpy as np
import pytest

from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.untrained import UNSORTED, untrained
from services.classifier.models.semantic.heads import CascadedHead
from services.classifier.models.semantic.zero import ZeroShot


def test_names_are_enough(universal_encoder: Encoder) -> None:
    model = ZeroShot(
        ["printer_problem", "passwordReset", "invoice-and-payment"], encoder=universal_encoder
    )
    texts = [
        "The printer does not print", "I forgot my password", "You charged me twice",
        "Der Drucker druckt nicht", "Я забыл пароль", "Die Rechnung ist falsch",
    ]  # fmt: skip
    assert model.predict_proba(texts).argmax(axis=1).tolist() == [0, 1, 2, 0, 1, 2]


def test_an_english_description_serves_other_languages(universal_encoder: Encoder) -> None:
    model = ZeroShot(
        ["L2", "FAC", "HR"],
        descriptions={
            "L2": "servers, databases and other software that is down",
            "FAC": "rooms, heating, elevators and cleaning of the building",
            "HR": "holidays, wages and sick leave",
        },
        encoder=universal_encoder,
    )
    texts = [
        "the heating is cold", "the database server is down", "how many days off do I have?",
        "Die Heizung ist kalt", "Der Datenbankserver antwortet nicht", "Wann kommt mein Gehalt?",
        "В кабинете не работает отопление", "Сервер базы данных не отвечает",
        "Когда выплатят зарплату?",
    ]  # fmt: skip
    assert model.predict_proba(texts).argmax(axis=1).tolist() == [1, 0, 2] * 3


def test_what_was_asked_before_changes_no_answer(bag_encoder: Encoder) -> None:
    names = ["printer toner", "sign-in page", "wifi router"]
    asked, fresh = ZeroShot(names, encoder=bag_encoder), ZeroShot(names, encoder=bag_encoder)
    asked.predict_proba(["the wifi is slow", "wifi", "router broken"])
    texts = ["no toner left", "the router blinks"]
    assert np.array_equal(asked.predict_proba(texts), fresh.predict_proba(texts))
    assert np.array_equal(asked.novelty(texts), fresh.novelty(texts))


def test_an_empty_text_is_equally_everything(bag_encoder: Encoder) -> None:
    model = ZeroShot(["a", "b"], encoder=bag_encoder)
    assert model.predict_proba([""]).tolist() == [[0.5, 0.5]]


def test_one_name_is_refused(bag_encoder: Encoder) -> None:
    with pytest.raises(ValueError, match="at least two classes"):
        ZeroShot(["a", "a"], encoder=bag_encoder)


class TestUntrained:
    @pytest.fixture
    def head(self, universal_encoder: Encoder) -> CascadedHead:
        head = CascadedHead.over(untrained().topic, encoder=universal_encoder)
        for name in ("Hardware", "Invoices"):
            head.add_class(name)
        return head

    def best(self, head: CascadedHead, *texts: str) -> list[str]:
        found = head.second_look(texts)
        return [found.classes[column] for column in found.probabilities.argmax(axis=1).tolist()]

    def test_nobody_is_left_unsorted(self, head: CascadedHead) -> None:
        assert head.classes[0] == UNSORTED
        texts = ["the screen of my laptop is broken", "the bill was charged twice"]
        assert self.best(head, *texts) == ["Hardware", "Invoices"]

    def test_one_example_counts_at_once_and_in_other_languages(self, head: CascadedHead) -> None:
        asked = "Der Kaffeeautomat in der Küche ist leer"
        assert self.best(head, asked) != ["Kitchen"]
        head.correct("the coffee machine is out of beans", "Kitchen")
        assert self.best(head, asked, "Кофемашина не работает") == ["Kitchen", "Kitchen"]

    def test_taking_it_back_is_as_if_it_had_never_been(
        self, head: CascadedHead, universal_encoder: Encoder
    ) -> None:
        text = "the coffee machine is out of beans"
        vectors = universal_encoder.encode([text, "my laptop is slow", "invoice"])
        logits = np.zeros((3, 4), np.float32)
        head.add_class("Kitchen")
        head.second_look([text])
        before = head.experts.judge(logits, vectors)[0]
        head.correct(text, "Kitchen")
        head.second_look([text])
        assert not np.array_equal(head.experts.judge(logits, vectors)[0], before)
        head.withdraw(text)
        head.second_look([text])
        assert np.array_equal(head.experts.judge(logits, vectors)[0], before)
