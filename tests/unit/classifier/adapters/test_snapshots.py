"""Snapshots: found again, checked, replaced, and never another model's."""

from collections.abc import Callable
from pathlib import Path

import pytest

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.correction_log import LogSoFar
from services.classifier.adapters.snapshots import Snapshots
from services.classifier.adapters.state_snapshots import KEPT
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from tests.builders import a_correction

Base = Callable[[], FastLabeller]


@pytest.fixture
def make(base: Base, tmp_path: Path) -> Callable[[str], Snapshots]:
    store = LocalDirectory(tmp_path)
    return lambda digest: Snapshots(store, base, digest, DeferredEncoder())


@pytest.fixture
def snapshots(make: Callable[[str], Snapshots], fold: Fold) -> Snapshots:
    return make(fold.identity.digest)


def grown(fold: Fold, records: int) -> Fold:
    for _ in range(records):
        event = a_correction(event_id=f"c-{fold.offset}", body=f"lamp {fold.offset}", topic="lamp")
        fold.apply(LogRecord(fold.offset, event))
    return fold


def written(end: int) -> LogSoFar:
    """The log of `grown`, so far."""
    return LogSoFar(end, lambda offset: f"c-{offset}" if offset < end else None)


def test_the_latest_is_found_bit_for_bit(snapshots: Snapshots, fold: Fold) -> None:
    snapshots.save(grown(fold, 2))
    snapshots.save(grown(fold, 3))
    found = snapshots.latest(written(5))
    assert found is not None
    assert found.digest() == fold.digest()
    assert found.identity == fold.identity
    assert grown(found, 2).digest() == grown(fold, 2).digest()


def test_none_is_found_before_the_first(snapshots: Snapshots) -> None:
    assert snapshots.latest(written(10)) is None


def test_one_beyond_the_logs_end_is_discarded(snapshots: Snapshots, fold: Fold) -> None:
    snapshots.save(grown(fold, 2))
    snapshots.save(grown(fold, 3))
    found = snapshots.latest(written(4))
    assert found is not None
    assert found.offset == 2
    assert snapshots.latest(written(1)) is None
    assert snapshots.latest(written(100)) is None


def test_one_of_another_log_makes_room_for_this_ones(
    snapshots: Snapshots, fold: Fold, base: Base
) -> None:
    for _ in range(KEPT):
        snapshots.save(grown(fold, 5))
    assert snapshots.latest(LogSoFar(100, lambda offset: f"other-{offset}")) is None
    snapshots.save(grown(Fold(base), 1))
    found = snapshots.latest(written(1))
    assert found is not None
    assert found.offset == 1


def test_the_oldest_go(snapshots: Snapshots, fold: Fold, tmp_path: Path) -> None:
    for _ in range(KEPT + 2):
        snapshots.save(grown(fold, 1))
    assert len(LocalDirectory(tmp_path).versions()) == KEPT
    found = snapshots.latest(written(100))
    assert found is not None
    assert found.offset == KEPT + 2


def test_two_workers_may_save_the_same(snapshots: Snapshots, fold: Fold) -> None:
    snapshots.save(grown(fold, 1))
    snapshots.save(fold)
    assert snapshots.latest(written(1)) is not None


@pytest.mark.parametrize("name", ["arrays.npz", "values.json", "manifest.json"])
@pytest.mark.parametrize("damage", [lambda raw: raw[:40], lambda raw: raw[:-9] + b"x" * 9])
def test_a_damaged_one_is_passed_over_for_the_one_before(
    snapshots: Snapshots,
    fold: Fold,
    tmp_path: Path,
    name: str,
    damage: Callable[[bytes], bytes],
) -> None:
    snapshots.save(grown(fold, 1))
    snapshots.save(grown(fold, 1))
    path = tmp_path / LocalDirectory(tmp_path).versions()[-1] / name
    path.write_bytes(damage(path.read_bytes()))
    found = snapshots.latest(written(2))
    assert found is not None
    assert found.offset == 1


def test_another_models_are_left_alone(
    make: Callable[[str], Snapshots], snapshots: Snapshots, fold: Fold
) -> None:
    snapshots.save(grown(fold, 1))
    assert make("f" * 64).latest(written(1)) is None
    assert snapshots.latest(written(1)) is not None
