"""What a worker starts with."""

from pathlib import Path

import pytest

from services.classifier.adapters.artifact_store import ArtifactMissing, LocalDirectory
from services.classifier.adapters.artifacts import save
from services.classifier.adapters.serving_model import load_learner, load_serving
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.fast.untrained import UNSORTED, untrained

TEXTS = ["vpn drops", "inbox full", "no wifi", "mail bounced"] * 10


@pytest.fixture
def saved(tmp_path: Path) -> str:
    labeller = FastLabeller.train(TEXTS, ["net", "mail"] * 20)
    return save(LocalDirectory(tmp_path), labeller, {}).version


def test_before_the_first_model_everything_is_unsorted_and_it_is_said_how_to_train(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = load_serving(tmp_path / "none")
    found = model.label(["vpn drops", ""])
    assert found.topic.classes == (UNSORTED,)
    assert found.topic.probabilities.tolist() == [[1.0], [1.0]]
    assert found.priority is None
    assert "python -m services.classifier train" in caplog.text


def test_the_untrained_one_is_the_same_everywhere(tmp_path: Path) -> None:
    assert load_serving(tmp_path).identity == untrained().identity
    assert load_learner(tmp_path, "untrained").identity == untrained().identity


def test_the_untrained_one_learns(tmp_path: Path) -> None:
    model = load_learner(tmp_path, "untrained")
    model.topic.correct("vpn drops", "net")
    model.topic.correct("inbox full", "mail")
    model.topic.refit()
    found = model.label(["the vpn drops", "my inbox is full"]).topic
    assert [found.classes[at] for at in found.probabilities.argmax(axis=1)] == ["net", "mail"]


def test_a_promoted_model_is_loaded(tmp_path: Path, saved: str) -> None:
    LocalDirectory(tmp_path).promote(saved)
    assert load_serving(tmp_path).identity.version == saved
    assert load_learner(tmp_path, saved).identity.version == saved


def test_models_of_which_none_is_promoted_are_no_fresh_start(tmp_path: Path, saved: str) -> None:
    with pytest.raises(ArtifactMissing):
        load_serving(tmp_path)
