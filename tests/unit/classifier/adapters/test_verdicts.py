"""Rounds of training, kept."""

from datetime import timedelta
from pathlib import Path

from services.classifier.adapters import verdicts
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.verdicts import KEPT, Verdicts
from tests.builders import NOON


def test_rounds_come_back_in_their_order(tmp_path: Path) -> None:
    kept = Verdicts(LocalDirectory(tmp_path))
    kept.add(NOON + timedelta(hours=1), "fast", {"outcome": "promoted"})
    kept.add(NOON, "batch", {"outcome": "refused"})
    assert [each["outcome"] for each in kept.all()] == ["refused", "promoted"]
    assert kept.all()[0]["at"] == NOON.isoformat()


def test_the_oldest_go(tmp_path: Path) -> None:
    kept = Verdicts(LocalDirectory(tmp_path))
    for number in range(KEPT + 3):
        kept.add(NOON + timedelta(days=number), "fast", {"number": number})
    assert [each["number"] for each in kept.all()] == list(range(3, KEPT + 3))


def test_one_that_cannot_be_read_is_passed_over(tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    kept = Verdicts(store)
    kept.add(NOON, "fast", {})
    (tmp_path / store.versions()[0] / verdicts.FILE).write_text("{")
    assert kept.all() == []


def test_two_at_the_same_moment_lose_no_earlier_one(tmp_path: Path) -> None:
    kept = Verdicts(LocalDirectory(tmp_path))
    kept.add(NOON, "fast", {"outcome": "promoted"})
    kept.add(NOON, "fast", {"outcome": "refused"})
    assert [each["outcome"] for each in kept.all()] == ["promoted"]
