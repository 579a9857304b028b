"""The queue tree; the defects of the original system that ours must not have."""

import pytest

from services.forecaster.domain.tree import QueueTree, Structure, TreeError

# 1 has 2 and 3; 2 has 4 and 5: three leaves.
TREE = QueueTree({1: None, 2: 1, 3: 1, 4: 2, 5: 2})
OWN = {1: 1.0, 3: 10.0, 4: 100.0, 5: 1000.0}


def test_the_root_of_three_leaves_has_three_leaf_nodes() -> None:
    assert TREE.structure(1) == Structure(1, 2, 4, 3, 2, None)


def test_an_inner_queue_knows_its_parent() -> None:
    assert TREE.structure(2) == Structure(2, 2, 2, 2, 1, 1)
    assert TREE.structure(4) == Structure(3, 0, 0, 0, 0, 2)


def test_the_total_counts_every_ticket_once() -> None:
    loads = TREE.loads(OWN)
    assert loads == {1: 1111.0, 2: 1100.0, 3: 10.0, 4: 100.0, 5: 1000.0}
    assert TREE.total(OWN) == 1111.0
    assert TREE.total(OWN) < sum(loads.values())


def test_levels_list_their_busiest_queues_first() -> None:
    assert TREE.by_level(OWN, top=1) == {1: [(1, 1111.0)], 2: [(2, 1100.0)], 3: [(5, 1000.0)]}


def test_queue_zero_stands_for_all() -> None:
    assert TREE.members(0) == (1, 2, 3, 4, 5)
    assert TREE.members(2) == (2, 4, 5)


def test_unknown_queues_are_named() -> None:
    for question in (TREE.structure, TREE.level, TREE.members):
        with pytest.raises(TreeError, match="unknown queue 9"):
            question(9)


def test_broken_trees_are_refused() -> None:
    with pytest.raises(TreeError, match="unknown parent 7"):
        QueueTree({1: 7})
    with pytest.raises(TreeError, match="own ancestor"):
        QueueTree({1: 2, 2: 1})
