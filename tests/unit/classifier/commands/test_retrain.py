"""`retrain` as a user meets it, without a broker."""

import argparse
import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from rich.console import Console

from services.classifier.__main__ import main
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.artifacts import save
from services.classifier.adapters.promotion_desk import IngestPromotionDesk
from services.classifier.adapters.verdicts import FOLDER, Verdicts
from services.classifier.commands import retrain
from services.classifier.commands.round_tables import round_table
from services.classifier.commands.times import Every
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.fast.serving import FastLabeller
from shared import metrics
from tests.builders import NOON

FOUND = {
    "family": "fast",
    "outcome": "refused",
    "reason": "topic: accuracy falls from 0.9000 to 0.8000 (-0.1500 to -0.0500)",
    "champion": "v1",
    "version": None,
    "examples": {"original": 600, "corrected": 50},
    "log_offset": 200,
    "cpu_seconds": 1.5,
    "peak_rss_mb": 300.0,
    "heads": {
        "topic": {
            "verdict": {
                "promoted": False,
                "reason": "accuracy falls",
                "differences": [
                    {
                        "figure": "accuracy", "champion": 0.9, "challenger": 0.8,
                        "low": -0.15, "high": -0.05,
                    }
                ],
            },
            "held_out": 400, "decided": 60, "corrected_share": 0.5, "ece": 0.02,
            "temperature": 1.1,
        }
    },
}  # fmt: skip


@pytest.fixture
def saved(tmp_path: Path) -> ModelIdentity:
    store = LocalDirectory(tmp_path)
    labeller = FastLabeller.train(["vpn drops", "inbox full"] * 8, ["net", "mail"] * 8)
    identity = save(store, labeller, {"topic_accuracy": 0.875}, log_offset=7)
    store.promote(identity.version)
    return identity


def test_the_list_names_models_and_counts_rounds(
    tmp_path: Path, saved: ModelIdentity, capsys: pytest.CaptureFixture[str]
) -> None:
    Verdicts(LocalDirectory(tmp_path / FOLDER)).add(NOON, "fast", FOUND)
    assert main(["retrain", "--list", "--models", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert saved.version in shown
    assert "0.8750" in shown
    assert "1 refused" in shown
    assert "falls from" in shown


def test_a_refusal_shows_both_figures_and_the_reason() -> None:
    console = Console(record=True, width=160)
    console.print(round_table(FOUND))
    shown = console.export_text()
    for part in ("0.9000", "0.8000", "-0.1500 to -0.0500", "refused", "60 of them", "falls from"):
        assert part in shown


def test_a_version_that_is_missing_is_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["retrain", "--promote", "v9", "--models", str(tmp_path)]) == 1
    assert "v9" in capsys.readouterr().err


def test_a_saved_version_is_promoted_on_demand(
    tmp_path: Path,
    saved: ModelIdentity,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    posted: list[dict[str, object]] = []

    def take(request: httpx.Request) -> httpx.Response:
        posted.append(json.loads(request.content))
        return httpx.Response(202, json={"accepted": 1})

    desk = IngestPromotionDesk("http://desk", httpx.MockTransport(take))
    monkeypatch.setattr(retrain, "IngestPromotionDesk", lambda _: desk)
    assert main(["retrain", "--promote", saved.version, "--models", str(tmp_path)]) == 0
    [body] = posted
    assert (body["version"], body["digest"], body["log_offset"]) == (
        saved.version, saved.digest, 7,
    )  # fmt: skip
    assert saved.version in capsys.readouterr().out


def test_without_a_broker_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1")
    assert main(["retrain", "--models", str(tmp_path)]) == 1
    assert "KAFKA_BOOTSTRAP_SERVERS" in capsys.readouterr().err


class Enough(Exception):
    """The test has seen enough rounds."""


def test_rounds_follow_each_other_in_processes_of_their_own() -> None:
    commands: list[Sequence[str]] = []

    def run(command: Sequence[str]) -> int:
        commands.append(command)
        Path(command[command.index("--json") + 1]).write_text(json.dumps([FOUND]))
        if len(commands) == 2:
            raise Enough
        return 0

    parser = argparse.ArgumentParser()
    retrain.configure(parser)
    args = parser.parse_args(["--every", "1h", "--model", "both", "--dry-run", "--seed", "3"])
    refused = metrics.RETRAIN_ROUNDS.labels("fast", "refused")
    before = refused._value.get()
    slept: list[float] = []
    with pytest.raises(Enough):
        retrain.again(
            Every(timedelta(hours=1)), args, Console(quiet=True), sleep=slept.append, run=run
        )
    assert refused._value.get() == before + 1
    assert len(slept) == 2
    [first, _] = commands
    assert first[1:4] == ["-m", "services.classifier", "retrain"]
    again = parser.parse_args(first[4:])
    assert (again.model, again.dry_run, again.seed, again.every) == ("both", True, 3, None)


def test_a_round_that_failed_is_counted_and_does_not_end_the_schedule(tmp_path: Path) -> None:
    failed = metrics.RETRAIN_ROUNDS.labels("any", "failed")
    before = failed._value.get()
    retrain.count(1, tmp_path / "none.json")
    retrain.count(0, tmp_path / "none.json")
    assert failed._value.get() == before + 2
