"""The queue directory and the tree it spans."""

from pathlib import Path

import pytest

from shared.errors import Misconfigured
from shared.queues import UNROUTED, QueueDirectory, tree


def test_a_ticket_goes_to_its_queue_then_its_topics_then_nowhere() -> None:
    directory = QueueDirectory(topics={"vpn": "IT/Network"})
    assert directory.route("HR", "vpn") == "HR"
    assert directory.route(None, "vpn") == "IT/Network"
    assert directory.route(None, "unheard of") == UNROUTED


def test_derived_ids_are_stable_distinct_and_exact_in_javascript() -> None:
    directory = QueueDirectory(ids={"IT": 7})
    derived = [directory.id_of(f"queue {n}") for n in range(10_000)]
    assert directory.id_of("IT") == 7
    assert len(set(derived)) == len(derived)
    assert all(0 < each < 2**53 for each in derived)
    assert derived[0] == QueueDirectory().id_of("queue 0")


def test_the_tree_has_the_nodes_between() -> None:
    nodes = tree(QueueDirectory(), ["IT/Network/VPN", "IT/Mail"])
    assert sorted(nodes) == ["IT", "IT/Mail", "IT/Network", "IT/Network/VPN"]
    assert nodes["IT"].descendants == ("IT/Mail", "IT/Network", "IT/Network/VPN")
    assert (nodes["IT/Network/VPN"].level, nodes["IT/Network/VPN"].parent) == (3, "IT/Network")
    assert nodes["IT/Network/VPN"].name == "VPN"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "cannot be read"),
        ('{"queues": {"a": 1, "b": 1}}', "one id to two queues"),
        ('{"queues": {"a": 0}}', "id 0"),
        ('{"quues": {}}', "cannot be read"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "queues.json"
    file.write_text(content)
    with pytest.raises(Misconfigured, match=complaint):
        QueueDirectory.load(file)


def test_no_file_is_an_empty_directory() -> None:
    assert QueueDirectory.load(None) == QueueDirectory()
