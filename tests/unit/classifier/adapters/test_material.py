"""Training material in a store."""

import gzip
from pathlib import Path

import pytest

from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactMissing,
    LocalDirectory,
)
from services.classifier.adapters.material import FILE, Row, keep, read

ROWS = [Row("vpn\nÄrger 🤷", "net", None), Row("", None, "high"), Row("x", "y", "z")]


def test_rows_come_back(tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    assert list(read(store, keep(store, ROWS))) == ROWS


def test_the_same_rows_are_kept_once(tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    assert keep(store, ROWS) == keep(store, ROWS)
    assert len(store.versions()) == 1


@pytest.mark.parametrize(
    "content",
    [b"not gzip", gzip.compress(b'["other",null,null]', mtime=0)],
    ids=["not gzip", "of two fields"],
)
def test_damaged_material_is_not_read(tmp_path: Path, content: bytes) -> None:
    store = LocalDirectory(tmp_path)
    name = keep(store, ROWS)
    (tmp_path / name / FILE).write_bytes(content)
    with pytest.raises(ArtifactDamaged, match="training material"):
        list(read(store, name))


def test_missing_material_says_so(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing):
        list(read(LocalDirectory(tmp_path), "f" * 64))
