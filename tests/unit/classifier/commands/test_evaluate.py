"""`evaluate` as a user and as a machine meets it: tables, JSON keys, predictions, refusals."""

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.classifier.__main__ import main

TOPICS = {
    "network": ["vpn drops", "wifi slow", "router dead"],
    "mail": ["inbox full", "letter lost", "outlook hangs"],
    "printer": ["toner empty", "paper jam", "printer offline"],
    "access": ["password reset", "account locked", "login refused"],
}
KEYS = {
    "accuracy",
    "macro_f1",
    "majority_accuracy",
    "ece",
    "oos_auroc",
    "semantic_share",
    "coverage_at_precision_95",
    "tickets_per_cpu_second",
    "tickets_per_cpu_second_batch32",
    "single_ticket_us",
    "fit_cpu_seconds",
    "peak_rss_mb",
    "worst_pairs",
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        f"{phrase} number {turn},{topic}"
        for turn in range(40)
        for topic, phrases in TOPICS.items()
        for phrase in phrases
    ]
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join(["body,topic", *rows]) + "\n")
    return path


def evaluate(data: Path, *more: str) -> dict[str, Any]:
    """What the JSON report says; the exit status is 0."""
    out = data.parent / "report.json"
    command = ["evaluate", "--train", str(data), "--text", "body", "--label", "topic"]
    assert main([*command, "--json", str(out), *more]) == 0
    report: dict[str, Any] = orjson.loads(out.read_bytes())
    return report


def refused(data: Path, *more: str) -> int:
    return main(["evaluate", "--train", str(data), "--text", "body", "--label", "topic", *more])


@pytest.mark.parametrize("model", ["fast", "batch"])
def test_every_key_is_there_and_the_model_is_judged(data: Path, model: str) -> None:
    report = evaluate(data, "--model", model)
    assert report.keys() >= KEYS
    assert report["accuracy"] > 0.95
    assert report["majority_accuracy"] == pytest.approx(0.25, abs=0.02)
    assert report["test_rows"] == pytest.approx(96, abs=4)
    assert report["oos_auroc"] is None
    assert report["semantic_share"] == 0.0


def test_the_table_shows_the_majority_class_beside_accuracy(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(data)
    shown = capsys.readouterr().out
    assert "majority class" in shown
    assert "one ticket alone" in shown


def test_predictions_hold_every_test_row_by_its_number_in_the_file(data: Path) -> None:
    out = data.parent / "predictions.csv"
    report = evaluate(data, "--predictions", str(out))
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows[0].keys() == {"row", "label", "predicted", "probability"}
    assert len(rows) == report["test_rows"]
    with data.open(newline="") as file:
        labels = [row["topic"] for row in csv.DictReader(file)]
    assert all(labels[int(row["row"])] == row["label"] for row in rows)
    hits = [row["label"] == row["predicted"] for row in rows]
    assert sum(hits) / len(hits) == pytest.approx(report["accuracy"])


def test_equal_seeds_give_equal_figures_and_others_another_split(data: Path) -> None:
    written: list[str] = []
    for seed in ("1", "1", "2"):
        out = data.parent / f"predictions-{len(written)}.csv"
        evaluate(data, "--seed", seed, "--predictions", str(out))
        written.append(out.read_text())
    assert written[0] == written[1]
    assert written[0].splitlines()[1:] != written[2].splitlines()[1:]


def test_a_test_file_and_an_out_of_scope_file(data: Path) -> None:
    test, strange = data.parent / "test.csv", data.parent / "oos.csv"
    test.write_text("topic,body\nmail,inbox full again\nnetwork,vpn drops again\n")
    strange.write_text("body\nwhat shall we eat tonight\n")
    report = evaluate(data, "--test", str(test), "--oos", str(strange))
    assert report["test_rows"] == 2
    assert report["accuracy"] == 1.0
    assert report["oos_auroc"] == 1.0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--zero", "--stream"], "--zero learns nothing"),
        (["--stream", "--adapt", "1"], "--stream tests on --train itself"),
        (["--model", "batch", "--stream"], "need --model fast"),
        (["--model", "batch", "--adapt", "1"], "need --model fast"),
        (["--adapt", "3"], "--adapt 3 cannot be done"),
        (["--radar", "3"], "--radar 3 cannot be done"),
        (["--radar", "1", "--stream"], "--stream tests on --train itself"),
        (["--test", "nowhere.csv"], "there is no file"),
    ],
)
def test_what_cannot_be_done_is_said(
    data: Path, capsys: pytest.CaptureFixture[str], options: list[str], sentence: str
) -> None:
    assert refused(data, *options) == 1
    assert sentence in capsys.readouterr().err


def test_a_file_with_one_class_cannot_be_judged(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data.write_text("body,topic\n" + "vpn,network\n" * 50)
    assert refused(data) == 1
    assert "at least two classes" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["-0.1", "1.5", "much"])
def test_a_share_that_is_none_ends_with_the_usage(
    data: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    with pytest.raises(SystemExit):
        refused(data, "--semantic", text)
    assert "--semantic" in capsys.readouterr().err


def test_the_semantic_stage_takes_the_share_it_is_given(data: Path) -> None:
    report = evaluate(data, "--semantic", "0.25")
    assert report["semantic_share"] == pytest.approx(0.25, abs=0.02)
    assert report["accuracy"] > 0.95


def test_the_semantic_stage_does_not_stand_on_the_batch_model(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refused(data, "--model", "batch", "--semantic", ".1") == 1
    assert "stands on the fast model" in capsys.readouterr().err


def test_names_alone_beat_the_majority_without_learning(data: Path) -> None:
    report = evaluate(data, "--zero")
    assert report["model"] == "zero"
    assert report["accuracy"] > 2 * report["majority_accuracy"]


def test_a_stream_is_tested_before_it_is_learned(data: Path) -> None:
    report = evaluate(data, "--stream")
    stream = report["stream"]
    assert report["test_rows"] == 480
    assert stream["curve"][0]["accuracy"] < 0.9 < stream["curve"][-1]["accuracy"]
    assert stream["late_classes"] == 0
    assert report["majority_accuracy"] == stream["majority_accuracy"]


def test_classes_that_come_late_in_a_stream_have_a_curve(data: Path) -> None:
    with data.open("a") as file:
        file.writelines(f"coffee machine broken {turn},kitchen\n" for turn in range(60))
    late = evaluate(data, "--stream")["stream"]["late_curve"][-1]
    assert late["first"] == 41
    assert late["accuracy"] > 0.8


def test_new_topics_are_taught_by_corrections(data: Path) -> None:
    report = evaluate(data, "--adapt", "1")
    assert [step["k"] for step in report["adapt"]] == [1, 3, 5, 8, 12, 20, 30]
    assert report["adapt"][0].keys() == {"k", "new_f1", "old_accuracy"}
    assert report["adapt_before"]["new_f1"] == 0.0
    assert report["adapt"][-1]["new_f1"] > 0.9
    assert report["adapt"][-1]["old_accuracy"] > 0.95
    assert len(report["adapt_classes"]) == 1


def test_the_radar_is_judged_beside_one_that_heeds_no_novelty(data: Path) -> None:
    figures = evaluate(data, "--radar", "1")["radar"]
    assert len(figures["new_classes"]) == figures["radar"]["topics"] == 1
    assert figures["radar"]["found"] <= 1
    assert figures["radar"]["false"] <= figures["ungated"]["false"]
    assert figures["observed"] == figures["tickets"]
