"""`train` as a user meets it: a file in, figures out, a model in use, or a sentence why not."""

import argparse
from pathlib import Path

import pytest

from services.classifier.__main__ import main
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.artifacts import load_current, read_manifest
from services.classifier.commands.train import share

ROWS = [("vpn drops", "net", "high"), ("inbox full", "mail", "low")]


def csv_of(rows: list[tuple[str, str, str]]) -> str:
    return "body,topic,urgency\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "tickets.csv"
    path.write_text(csv_of([(f"{a} {n}", b, c) for n in range(300) for a, b, c in ROWS]))
    return path


def train(data: Path, *more: str) -> int:
    models = str(data.parent / "models")
    command = ["train", "--data", str(data), "--text", "body", "--label", "topic"]
    return main([*command, "--models", models, *more])


@pytest.mark.parametrize(
    ("family", "said"), [("fast", "topic: fitting words"), ("batch", "fitting on everything")]
)
def test_a_trained_model_is_in_use(
    data: Path, capsys: pytest.CaptureFixture[str], family: str, said: str
) -> None:
    assert train(data, "--priority", "urgency", "--model", family) == 0
    labeller = load_current(data.parent / "models")
    found = labeller.label(["vpn drops again"])
    assert found.topic.classes[found.topic.probabilities[0].argmax()] == "net"
    assert found.priority is not None
    shown = capsys.readouterr()
    assert labeller.identity.name == family
    assert labeller.identity.version in shown.out
    assert "majority class" in shown.out
    assert said in shown.err


def test_the_manifest_keeps_the_figures(data: Path) -> None:
    assert train(data) == 0
    store = LocalDirectory(data.parent / "models")
    figures = read_manifest(store, str(store.current())).figures
    assert figures["topic_accuracy"] == 1.0
    assert figures["topic_majority_accuracy"] == 0.5
    assert figures["rows"] == 600


def test_only_the_first_share_is_learned_from(data: Path) -> None:
    data.write_text(csv_of([*ROWS * 40, *[("coffee cold", "kitchen", "low")] * 20]))
    assert train(data, "--first", ".8") == 0
    assert load_current(data.parent / "models").label([""]).topic.classes == ("mail", "net")


def test_a_second_training_replaces_the_first(data: Path) -> None:
    assert train(data) == 0
    first = load_current(data.parent / "models").identity
    assert train(data, "--first", ".5") == 0
    assert load_current(data.parent / "models").identity.digest != first.digest
    assert len(LocalDirectory(data.parent / "models").versions()) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file"),
        ("body,other\na,b\n", "has no column 'topic'"),
        ("body,topic\na b,net\nc d,net\n", "at least two classes"),
        ("body,topic\n,net\n,mail\n", "no text holds a word"),
    ],
)
def test_what_cannot_be_learned_from_is_said_and_nothing_is_saved(
    data: Path, capsys: pytest.CaptureFixture[str], content: str | None, sentence: str
) -> None:
    data.unlink()
    if content is not None:
        data.write_text(content)
    assert train(data) == 1
    assert sentence in capsys.readouterr().err
    assert not (data.parent / "models").exists()


def test_a_share_that_takes_no_row_is_said(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train(data, "--first", "0.0001") == 1
    assert "no text holds a word" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["0", "1.1", "-1"])
def test_a_share_outside_its_range_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a share"):
        share(text)
