"""Saving, loading, and refusing what was touched in between."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import orjson
import pytest
import skops.io

from services.classifier.adapters.artifact_store import (
    ArtifactDamaged,
    ArtifactMissing,
    LocalDirectory,
)
from services.classifier.adapters.artifacts import load, load_current, read_manifest, save
from services.classifier.models.batch.classifier import BatchLabeller

TEXTS = ["vpn drops", "no wifi", "inbox full", "letter lost"] * 10
TOPICS = ["net", "net", "mail", "mail"] * 10


def noon() -> datetime:
    return datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def labeller() -> BatchLabeller:
    return BatchLabeller.train(TEXTS, TOPICS, ["low", "high"] * 20)


@pytest.fixture
def folder(labeller: BatchLabeller, tmp_path: Path) -> Path:
    """The folder of a promoted version."""
    store = LocalDirectory(tmp_path)
    identity = save(store, labeller, {"topic_accuracy": 0.9}, noon)
    store.promote(identity.version)
    return tmp_path / identity.version


def test_a_loaded_labeller_answers_bit_for_bit(labeller: BatchLabeller, folder: Path) -> None:
    found = load_current(folder.parent)
    ours, theirs = labeller.label(TEXTS), found.label(TEXTS)
    np.testing.assert_array_equal(theirs.topic.probabilities, ours.topic.probabilities)
    assert theirs.topic.classes == ours.topic.classes
    assert theirs.priority is not None
    assert ours.priority is not None
    np.testing.assert_array_equal(theirs.priority.probabilities, ours.priority.probabilities)


def test_the_version_tells_when_and_what(labeller: BatchLabeller, folder: Path) -> None:
    assert folder.name == f"20260301T120000Z-{labeller.identity.digest[:12]}"
    identity = load_current(folder.parent).identity
    assert (identity.version, identity.digest) == (folder.name, labeller.identity.digest)


def test_the_manifest_describes_the_model(folder: Path) -> None:
    manifest = read_manifest(LocalDirectory(folder.parent), folder.name)
    assert manifest.topics == ("mail", "net")
    assert manifest.priorities == ("high", "low")
    assert manifest.figures == {"topic_accuracy": 0.9}
    content = (folder / "model.skops").read_bytes()
    assert manifest.files == {"model.skops": hashlib.sha256(content).hexdigest()}


def test_the_file_holds_no_type_that_could_run(folder: Path) -> None:
    assert skops.io.get_untrusted_types(file=folder / "model.skops") == []


def test_an_empty_directory_says_how_to_train(tmp_path: Path) -> None:
    with pytest.raises(ArtifactMissing, match=r"python -m services\.classifier train"):
        load_current(tmp_path)


def test_a_pointer_to_nothing_is_missing(folder: Path) -> None:
    (folder.parent / "current").write_text("20200101T000000Z-aaaaaaaaaaaa\n")
    with pytest.raises(ArtifactMissing, match="20200101T000000Z"):
        load_current(folder.parent)


def flip_a_byte(folder: Path) -> None:
    content = bytearray((folder / "model.skops").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.skops").write_bytes(content)


def cut_the_model(folder: Path) -> None:
    rewrite(folder, (folder / "model.skops").read_bytes()[:100])


def remove_the_model(folder: Path) -> None:
    (folder / "model.skops").unlink()


def add_a_file(folder: Path) -> None:
    (folder / "extra.bin").write_bytes(b"")


def remove_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").unlink()


def garble_the_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b"{")


def give_it_another_version(folder: Path) -> None:
    edit(folder, version="another")


def give_it_another_digest(folder: Path) -> None:
    edit(folder, digest="0" * 64)


def smuggle_a_type(folder: Path) -> None:
    rewrite(folder, skops.io.dumps({"features": Fraction(1, 2)}))


def forget_a_key(folder: Path) -> None:
    rewrite(folder, skops.io.dumps({"features": {}}))


def rewrite(folder: Path, content: bytes) -> None:
    """Another model file, with the checksum to match."""
    (folder / "model.skops").write_bytes(content)
    edit(folder, files={"model.skops": hashlib.sha256(content).hexdigest()})


def edit(folder: Path, **changes: object) -> None:
    path = folder / "manifest.json"
    path.write_bytes(orjson.dumps(orjson.loads(path.read_bytes()) | changes))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip_a_byte, "checksum of model.skops differs"),
        (cut_the_model, "cannot be read"),
        (remove_the_model, "not those that the manifest lists"),
        (add_a_file, "not those that the manifest lists"),
        (remove_the_manifest, "manifest.json is missing"),
        (garble_the_manifest, "manifest.json cannot be read"),
        (give_it_another_version, "another version or format"),
        (give_it_another_digest, "not what its digest says"),
        (smuggle_a_type, "types that no model needs.*Fraction"),
        (forget_a_key, "cannot be read"),
    ],
)
def test_a_touched_model_is_refused_with_the_reason_and_the_way_out(
    folder: Path, damage: Callable[[Path], None], reason: str
) -> None:
    damage(folder)
    with pytest.raises(ArtifactDamaged, match=f"{reason}.*Promote an earlier version or train"):
        load_current(folder.parent)


def test_an_earlier_version_can_be_loaded(labeller: BatchLabeller, tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    first = save(store, labeller, {}, noon)
    second = save(store, BatchLabeller.train(TEXTS, TOPICS), {}, noon)
    store.promote(second.version)
    assert load(store, first.version).identity == first
    assert load_current(tmp_path).identity == second
