"""The fast model's files: checked, free of code, and loaded without scikit-learn."""

import io
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from services.classifier.adapters.artifact_store import ArtifactDamaged, LocalDirectory, whole
from services.classifier.adapters.artifacts import load, load_current, save
from services.classifier.adapters.model_files import UnreadableModel, decode, encode
from services.classifier.models.fast.serving import FastLabeller

TEXTS = ["vpn drops", "no wifi", "inbox full", "letter lost"] * 10
LOAD = """
import sys
from pathlib import Path
import services.classifier.commands.serve
import numpy as np
from services.classifier.adapters.artifacts import load_current
from services.classifier.models.logistic import fit_logistic
load_current(Path(sys.argv[1])).label(["vpn drops"])
fit_logistic(np.eye(2, dtype=np.float32), np.arange(2), 2, strength=1.0)  # as a refit does
heavy = {"sklearn", "skops", "pandas", "scipy.optimize", "river.drift", "river.metrics"}
print(*sorted(heavy & sys.modules.keys()))
"""


@pytest.fixture(scope="module")
def labeller() -> FastLabeller:
    return FastLabeller.train(TEXTS, ["net", "net", "mail", "mail"] * 10, ["low", "high"] * 20)


def test_it_is_loaded_as_it_was_saved(labeller: FastLabeller, tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    identity = save(store, labeller, {})
    found = load(store, identity.version)
    assert found.identity == identity
    np.testing.assert_array_equal(
        found.label(TEXTS).topic.probabilities, labeller.label(TEXTS).topic.probabilities
    )


def test_serving_it_loads_no_library_for_training(labeller: FastLabeller, tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    store.promote(save(store, labeller, {}).version)
    done = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_a_flipped_byte_is_refused(labeller: FastLabeller, tmp_path: Path) -> None:
    store = LocalDirectory(tmp_path)
    version = save(store, labeller, {}).version
    store.promote(version)
    path = tmp_path / version / "arrays.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(ArtifactDamaged, match=r"checksum of arrays\.npz differs"):
        load_current(tmp_path)


def with_objects(files: dict[str, bytes]) -> None:
    content = io.BytesIO()
    np.savez(content, code=np.array([print], dtype=object))
    files["arrays.npz"] = content.getvalue()
    files["values.json"] = json.dumps({"topic": {"$array": "code"}, "priority": None}).encode()


def without_arrays(files: dict[str, bytes]) -> None:
    del files["arrays.npz"]


def cut(files: dict[str, bytes]) -> None:
    files["arrays.npz"] = files["arrays.npz"][:100]


def without_a_head(files: dict[str, bytes]) -> None:
    files["values.json"] = b"{}"


def with_a_list(files: dict[str, bytes]) -> None:
    files["values.json"] = b"[]"


@pytest.mark.parametrize("damage", [with_objects, without_arrays, cut, without_a_head, with_a_list])
def test_files_that_are_no_model_are_refused(
    labeller: FastLabeller, damage: Callable[[dict[str, bytes]], None]
) -> None:
    files = {name: whole(content) for name, content in encode(labeller).items()}
    damage(files)
    with pytest.raises(UnreadableModel):
        decode("fast", "v1", files)


def test_a_family_nobody_knows_is_refused(labeller: FastLabeller) -> None:
    with pytest.raises(UnreadableModel, match="'oracle'"):
        decode("oracle", "v1", encode(labeller))
