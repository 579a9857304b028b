"""Exemplars, and names as first examples."""

import numpy as np
import pytest

from services.classifier.models.semantic.exemplars import ExemplarMemory
from services.classifier.models.semantic.names import named_examples, spoken
from services.classifier.models.semantic.topic_experts import Spread

UP, RIGHT = [0.0, 1.0], [1.0, 0.0]


@pytest.fixture
def memory() -> ExemplarMemory:
    return ExemplarMemory(np.zeros(2, np.float32))


def scores(memory: ExemplarMemory, *vectors: list[float], classes: int = 2) -> list[list[float]]:
    found: list[list[float]] = memory.scores(np.array(vectors, np.float32), classes).tolist()
    return found


def test_the_latest_of_each_class_are_kept(memory: ExemplarMemory) -> None:
    vectors = np.array([UP] * 40 + [RIGHT] * 30, np.float32)
    memory.add(range(70), vectors, [0] * 70)
    memory.add(["other"], np.array([UP], np.float32), [1])
    assert scores(memory, UP, [0.0, 0.0], classes=3) == [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    assert len(memory) == 31


def test_a_known_example_moves_to_its_new_class(memory: ExemplarMemory) -> None:
    memory.add(["a", "b"], np.array([UP, RIGHT], np.float32), [0, 0])
    memory.add(["a"], np.array([UP], np.float32), [1])
    assert scores(memory, UP) == [[0.0, 1.0]]
    assert len(memory) == 2


def test_an_example_is_taken_back(memory: ExemplarMemory) -> None:
    memory.add(["a"], np.array([UP], np.float32), [0])
    memory.remove("a")
    memory.remove("never there")
    assert scores(memory, UP) == [[0.0, 0.0]]


def test_a_fork_learns_on_its_own(memory: ExemplarMemory) -> None:
    memory.add(["a"], np.array([UP], np.float32), [0])
    twin = memory.fork()
    twin.remove("a")
    twin.add(["b"], np.array([RIGHT], np.float32), [1])
    assert scores(memory, UP, RIGHT) == [[1.0, 0.0], [0.0, 0.0]]
    assert scores(twin, UP, RIGHT) == [[0.0, 0.0], [0.0, 1.0]]


def test_many_classes_keep_fewer_each() -> None:
    memory = ExemplarMemory(np.zeros(2, np.float32), classes=10_000)
    memory.add(range(5), np.array([UP] * 5, np.float32), [0] * 5)
    assert len(memory) == 2


def test_many_examples_are_found_again(memory: ExemplarMemory) -> None:
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((500, 2)).astype(np.float32)
    memory.add(range(500), vectors, [i % 50 for i in range(500)])
    found = memory.scores(vectors, 50)
    assert all(found[i, i % 50] > 0.99 for i in range(500))


def test_rows_freed_between_others_say_nothing() -> None:
    rng = np.random.default_rng(0)
    memory = ExemplarMemory(np.zeros(8, np.float32))
    vectors = rng.standard_normal((150, 8), np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    owners = (np.arange(150) % 7).tolist()
    memory.add(range(150), vectors, owners)
    for key in range(0, 150, 3):
        memory.remove(key)
    asked = rng.standard_normal((5, 8), np.float32)
    asked /= np.linalg.norm(asked, axis=1, keepdims=True)
    kept = [key for key in range(150) if key % 3]
    expected = [
        [max(float(one @ vectors[key]) for key in kept if owners[key] == c) for c in range(7)]
        for one in asked
    ]
    found = memory.scores(asked, 8)
    assert found[:, :7] == pytest.approx(np.array(expected), abs=5e-3)
    assert not found[:, 7].any()


def test_nothing_is_no_example(memory: ExemplarMemory) -> None:
    memory.add(["a"], np.zeros((1, 2), np.float32), [0])
    assert len(memory) == 0


def test_a_name_and_its_description_are_examples() -> None:
    found = named_examples(["vpn", "fac"], [1], {"fac": "rooms and heating", "vpn": "tunnels"})
    assert {each.column for each in found} == {1}
    assert found[0].text == "fac"
    assert found[-1].text == "rooms and heating"
    assert found[-1].weight == sum(each.weight for each in found[:-1])


@pytest.mark.parametrize(
    ("name", "said"),
    [("card_not_working", "card not working"), ("cardArrival", "card arrival"), ("VPN", "vpn")],
)
def test_names_are_spoken(name: str, said: str) -> None:
    assert spoken(name) == said


def test_neighbours_of_exemplars_say_how_near_is_usual() -> None:
    memory = ExemplarMemory(np.zeros(8, np.float32), 3)
    axes = np.eye(8, dtype=np.float32)
    pair = np.stack([axes[0], (axes[0] + axes[1]) / np.float32(np.sqrt(2))])
    memory.add(["a", "b"], pair, [0, 0])
    memory.add(["alone"], axes[5:6], [1])
    assert memory.nearest_others() == pytest.approx([np.sqrt(0.5)] * 2)
    memory.remove("b")
    assert len(memory.nearest_others()) == 0


def test_without_held_out_texts_doubt_follows_the_neighbours() -> None:
    near = Spread.of_exemplars(np.full(200, 0.8, np.float32))
    assert near.mean == pytest.approx(0.8, abs=0.05)
    novel, usual = near.below(np.array([0.3, 0.8], np.float32))
    assert novel > 3.0 > usual
    unknown = Spread.of_exemplars(np.zeros(0, np.float32))
    novel, usual = unknown.below(np.array([0.3, 0.5], np.float32))
    assert novel > 3.0
    assert usual == 0.0
