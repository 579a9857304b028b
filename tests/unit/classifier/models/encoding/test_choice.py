"""Vectors of two encoders never meet: what was learned with one is refused by the other."""

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from services.classifier.__main__ import main
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.radar.radar import Radar
from services.classifier.models.encoding.carrier import IDENTITY
from services.classifier.models.encoding.choice import choose_encoder
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.untrained import untrained
from services.classifier.models.words.table import WordTable
from services.classifier.semantic.radar import snapshot_prefix
from shared.errors import Misconfigured


@pytest.fixture
def other(bag_encoder: Encoder) -> Encoder:
    """Of the same dimensions, but another one."""
    return SimpleNamespace(
        identity=ModelIdentity("other", "1", "1"),
        dimension=bag_encoder.dimension,
        word_dimension=bag_encoder.word_dimension,
        encode=bag_encoder.encode,
        encode_words=bag_encoder.encode_words,
        rest=bag_encoder.rest,
    )


def test_the_built_in_one_says_who_it_is_without_its_weights(universal_encoder: Encoder) -> None:
    deferred = DeferredEncoder()
    assert deferred.identity == IDENTITY == universal_encoder.identity
    assert deferred.dimension == universal_encoder.dimension
    assert deferred.word_dimension == universal_encoder.word_dimension


def test_words_of_another_encoder_are_refused(
    bag_encoder: Encoder, other: Encoder, desk: tuple[list[str], list[str]]
) -> None:
    head = TextHead(encoder=bag_encoder)
    head.fit(*desk)
    state = head.state()
    again = TextHead.from_state(state, bag_encoder)
    assert np.array_equal(again.predict_proba(desk[0]), head.predict_proba(desk[0]))
    with pytest.raises(ValueError, match="another encoder"):
        TextHead.from_state(state, other)


def test_words_from_before_encoders_had_names_are_the_built_in_ones(bag_encoder: Encoder) -> None:
    built_in = WordTable(DeferredEncoder())
    state: dict[str, Any] = built_in.state()
    assert state.pop("encoder") == IDENTITY.digest
    WordTable(DeferredEncoder()).restore(state)
    unnamed = WordTable(bag_encoder).state()
    del unnamed["encoder"]
    with pytest.raises(ValueError, match="another encoder"):
        WordTable(bag_encoder).restore(unnamed)


def test_what_is_learned_from_nothing_belongs_to_one_encoder(other: Encoder) -> None:
    """Snapshots are kept under the digest of the model that the log begins with."""
    assert untrained(other).identity.digest != untrained(DeferredEncoder()).identity.digest
    assert untrained(DeferredEncoder()).identity.digest == untrained().identity.digest


def test_the_radar_keeps_apart_what_it_saw(other: Encoder) -> None:
    assert snapshot_prefix(IDENTITY) == "radar-"
    prefix = snapshot_prefix(other.identity)
    assert not prefix.startswith("radar-")
    state = Radar(dimension=48).state()
    assert Radar.from_state(state, dimension=48).state()["middle"].shape == (48,)
    with pytest.raises(ValueError, match="another encoder"):
        Radar.from_state(state)


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_the_missing_extra_says_how_to_install_it(
    library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("onnxruntime", "tokenizers"):
        monkeypatch.setitem(sys.modules, name, None if name == library else SimpleNamespace())
    with pytest.raises(Misconfigured, match=rf"{library}: pip install 'deskstream\[onnx\]'"):
        choose_encoder(tmp_path)
    assert DeferredEncoder().identity == IDENTITY


@pytest.mark.parametrize("command", ["evaluate", "train"])
def test_a_directory_that_cannot_be_used_ends_the_command(
    command: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setenv("CLASSIFIER_ENCODER", str(tmp_path / "encoder"))
    monkeypatch.setenv("CLASSIFIER_MODELS", str(tmp_path / "models"))
    columns = ["--text", "text", "--label", "label"]
    options = {
        "evaluate": ["--train", str(tmp_path / "none.csv"), *columns],
        "train": ["--data", str(tmp_path / "none.csv"), *columns],
    }
    assert main([command, *options[command]]) == 1
    assert "deskstream[onnx]" in capsys.readouterr().err
