"""The tree: found by path and id, loads summed once."""

import numpy as np
import pytest

from services.gateway.domain.queues import TOP_PER_LEVEL, QueueTree, Structure, totals
from shared.errors import NotFound
from shared.queues import QueueDirectory

DIRECTORY = QueueDirectory(ids={"IT": 10, "IT/Network": 11}, topics={"pay": "Finance/Payroll"})
SEEN = ("IT/Network/VPN", "IT/Network", "HR")


@pytest.fixture
def tree() -> QueueTree:
    return QueueTree(DIRECTORY, SEEN)


def test_by_id_by_path_and_zero(tree: QueueTree) -> None:
    by_id, by_path = tree.find("11"), tree.find("IT/Network")
    assert by_id is not None
    assert by_id == by_path == tree.find_id(11)
    assert tree.find("0") is None
    derived = tree.find("HR")
    assert derived is not None
    assert tree.find(str(derived.id)) == derived


@pytest.mark.parametrize("name", ["Nowhere", "999", "IT/X", "", "-1", "²"])
def test_unknown_queues(tree: QueueTree, name: str) -> None:
    with pytest.raises(NotFound, match="GET /api/queues"):
        tree.find(name)


def test_a_queue_named_by_a_number_is_found_by_its_path() -> None:
    tree = QueueTree(QueueDirectory(ids={"42": 7}), ())
    node = tree.find("42")
    assert node is not None
    assert node.id == 7


def test_only_queues_that_were_counted_have_windows(tree: QueueTree) -> None:
    node = tree.find("IT")
    assert node is not None
    assert set(tree.with_windows(node)) == {"IT/Network", "IT/Network/VPN"}


def test_loads_include_everything_below_and_each_ticket_once(tree: QueueTree) -> None:
    levels = tree.loads({"IT/Network": 3, "IT/Network/VPN": 4, "HR": 5})
    assert {level: [(q.name, q.load) for q in queues] for level, queues in levels.items()} == {
        1: [("IT", 7), ("HR", 5), ("Finance", 0)],
        2: [("IT/Network", 7), ("Finance/Payroll", 0)],
        3: [("IT/Network/VPN", 4)],
    }
    assert sum(queue.load for queue in levels[1]) == 3 + 4 + 5


def test_the_busiest_thirty_of_a_level() -> None:
    own = {f"Q{number:02}": number for number in range(40)}
    [queues] = QueueTree(QueueDirectory(), own).loads(own).values()
    assert len(queues) == TOP_PER_LEVEL
    assert [queue.load for queue in queues] == list(range(39, 9, -1))


def test_totals_per_name() -> None:
    one, two = (np.array(cells, ">u4").tobytes() for cells in ([1, 2], [2**32 - 1]))
    assert totals([one, None, two, one], 2).tolist() == [3, 2**32 + 2]
    assert totals([], 2).tolist() == []


def test_structure(tree: QueueTree) -> None:
    assert tree.structure(tree.find("IT")) == Structure(
        level=1,
        direct_children=1,
        all_descendants=2,
        leaf_nodes=1,
        depth=2,
        parent_id=None,
    )
    leaf = tree.structure(tree.find("IT/Network/VPN"))
    assert (leaf.level, leaf.leaf_nodes, leaf.depth, leaf.parent_id) == (3, 0, 0, 11)
    everything = tree.structure(None)
    assert (everything.level, everything.direct_children, everything.depth) == (0, 3, 3)
    assert (everything.all_descendants, everything.leaf_nodes) == (6, 3)
