"""The command line of the simulator."""

import csv
from pathlib import Path

import pytest

from services.simulator.__main__ import main
from services.simulator.commands.corpus import COLUMNS


def test_help_answers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in ("--url", "--rate", "--to-csv", "--from-csv", "--skip", "--gateway", "--report"):
        assert option in text


@pytest.mark.parametrize("suffix", [".csv", ".csv.gz"])
def test_the_same_seed_writes_the_same_file(tmp_path: Path, suffix: str) -> None:
    first, second, other = (tmp_path / f"{n}{suffix}" for n in "abc")
    for file, seed in ((first, "7"), (second, "7"), (other, "8")):
        assert main(["--to-csv", str(file), "--tickets", "50", "--seed", seed]) == 0
    assert first.read_bytes() == second.read_bytes() != other.read_bytes()


def test_a_corpus_has_its_columns(tmp_path: Path) -> None:
    file = tmp_path / "deeper" / "corpus.csv"
    assert main(["--to-csv", str(file), "--tickets", "30"]) == 0
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert len(rows) == 30
    assert tuple(rows[0]) == COLUMNS
    assert all(row["text"].endswith(row["body"]) and row["topic"] for row in rows)
    assert [row["created_at"] for row in rows] == sorted(row["created_at"] for row in rows)


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--skip", "2"], ["--from-csv", "x.csv"]])
def test_a_wrong_command_line_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2


def test_a_file_that_cannot_be_read_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.csv")
    assert main(["--from-csv", missing, "--text", "a", "--label", "b"]) == 2
    assert missing in capsys.readouterr().err
