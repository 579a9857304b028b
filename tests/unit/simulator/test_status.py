"""The status file a supervisor reads."""

from pathlib import Path

import orjson

from services.simulator.status import Status, write_status

FIELDS = {
    "sent", "accepted", "rejected", "undelivered", "retried", "corrections",
    "checked", "correct", "accuracy", "majority_accuracy", "done",
}  # fmt: skip


def test_holds_every_field_before_anything_happened(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    write_status(file, Status())
    content = orjson.loads(file.read_bytes())
    assert content.keys() == FIELDS
    assert (content["accuracy"], content["majority_accuracy"]) == (None, None)


def test_is_replaced_as_a_whole(tmp_path: Path) -> None:
    file = tmp_path / "status.json"
    status = Status(sent=3)
    for predicted, truth in (("a", "a"), ("a", "b"), ("b", "b"), ("a", "b")):
        status.check(predicted, truth)
        write_status(file, status)
    content = orjson.loads(file.read_bytes())
    assert (content["checked"], content["correct"]) == (4, 2)
    assert (content["accuracy"], content["majority_accuracy"]) == (0.5, 0.75)
    assert list(tmp_path.iterdir()) == [file]


def test_says_in_a_line_what_happened() -> None:
    status = Status(sent=1_000, accepted=999, undelivered=1)
    status.check("a", "a")
    assert status.line() == (
        "sent 1,000, accepted 999, undelivered 1, accuracy 1.000 of 1, majority 1.000"
    )
