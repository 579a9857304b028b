"""The queue tree of an upload."""

import pytest

from services.forecaster.domain.uploads.tree import QueueTree, TreeError

# 1 has 2 and 3; 2 has 4 and 5.
TREE = QueueTree({1: None, 2: 1, 3: 1, 4: 2, 5: 2})


def test_levels_start_at_one() -> None:
    assert [TREE.level(queue) for queue in (1, 2, 5)] == [1, 2, 3]


def test_descendants_are_nearest_first() -> None:
    assert TREE.descendants(1) == (2, 3, 4, 5)
    assert TREE.children(2) == (4, 5)
    assert TREE.descendants(4) == ()


def test_unknown_queues_are_named() -> None:
    with pytest.raises(TreeError, match="unknown queue 9"):
        TREE.level(9)


def test_broken_trees_are_refused() -> None:
    with pytest.raises(TreeError, match="unknown parent 7"):
        QueueTree({1: 7})
    with pytest.raises(TreeError, match="own ancestor"):
        QueueTree({1: 2, 2: 1})
