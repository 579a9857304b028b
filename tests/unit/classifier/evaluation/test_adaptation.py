"""Teaching held-out classes by corrections."""

import pytest

from services.classifier.evaluation.adaptation import STEPS, adapt, choose_new_classes
from services.classifier.evaluation.tables import LabelledTickets, UnusableData
from tests.unit.classifier.evaluation.word_votes import WordVotes

CLASSES = ("a", "b", "c", "d")


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches."""


def tickets(each: int) -> LabelledTickets:
    labels = [name for name in CLASSES for _ in range(each)]
    return LabelledTickets(list(range(len(labels))), [f"w{x}" for x in labels], labels, [], 0)


def test_the_new_classes_are_unknown_at_first_and_learned_from_one_correction() -> None:
    found = adapt(WordVotes(), tickets(40), tickets(5), ("b", "d"), seed=0, report=silent)
    assert (found.before.k, found.before.new_f1, found.before.old_accuracy) == (0, 0.0, 1.0)
    assert [step.k for step in found.steps] == list(STEPS)
    assert all(step.new_f1 == 1.0 and step.old_accuracy == 1.0 for step in found.steps)
    assert found.old_majority_accuracy == 0.5


def test_no_ticket_of_a_new_class_is_learned_before_its_turn() -> None:
    class Recorder(WordVotes):
        def __init__(self) -> None:
            super().__init__()
            self.corrections: list[str] = []

        def correct(self, text: str, label: str) -> None:
            self.corrections.append(label)
            super().correct(text, label)

    model = Recorder()
    adapt(model, tickets(40), tickets(5), ("b",), seed=0, report=silent)
    # WordVotes fits by correcting: 120 rows of the old classes, then thirty of the new one.
    assert "b" not in model.corrections[:120]
    assert model.corrections[120:] == ["b"] * 30
    assert model.refits == len(STEPS)


def test_a_class_with_few_rows_gives_all_it_has() -> None:
    found = adapt(WordVotes(), tickets(4), tickets(2), ("a",), seed=0, report=silent)
    assert found.steps[-1].new_f1 == 1.0


def test_the_seed_draws_the_classes() -> None:
    names = [f"class{number}" for number in range(50)]
    drawn = choose_new_classes(names, 10, seed=4)
    assert drawn == choose_new_classes(names, 10, seed=4)
    assert drawn != choose_new_classes(names, 10, seed=5)
    assert len(set(drawn)) == 10


@pytest.mark.parametrize("count", [0, 3])
def test_two_classes_must_remain(count: int) -> None:
    with pytest.raises(UnusableData, match="two must remain"):
        choose_new_classes(CLASSES, count, seed=0)
