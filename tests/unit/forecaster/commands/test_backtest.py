"""The backtest command: files in, table, JSON and forecasts out, errors that name the line."""

import csv
import gzip
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from services.forecaster.__main__ import main
from services.forecaster.commands.series_file import read_series, wall_clock
from services.forecaster.domain.forecasting.calendar import Calendar
from services.forecaster.domain.forecasting.series import Frequency, SeriesError

BUCKET = {
    "mase", "relative_mase", "wape", "pinball", "relative_pinball",
    "coverage_80", "coverage_95", "cpu_ms_per_fit",
}  # fmt: skip


def write_daily(path: Path, names: tuple[str, ...] = ("a", "b"), days: int = 240) -> Path:
    random = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("unique_id,ds,y\n")
        for name in names:
            for day in range(days):
                stamp = datetime(2023, 1, 1, tzinfo=UTC) + timedelta(days=day)
                file.write(f"{name},{stamp:%Y-%m-%d},{random.poisson(30 - 12 * (day % 7 > 4))}\n")
    return path


def run(*words: str) -> int:
    return main(["backtest", *words])


def test_numbers_and_forecasts_are_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_daily(tmp_path / "d.csv")
    code = run(
        "--data", str(data), "--freq", "D", "--horizon", "28", "--origins", "3", "--step", "14",
        "--country", "GB", "--json", str(tmp_path / "o.json"),
        "--forecasts", str(tmp_path / "o.csv"),
    )  # fmt: skip
    assert code == 0
    assert "relative_pinball" in capsys.readouterr().out
    content = json.loads((tmp_path / "o.json").read_text())
    assert set(content["buckets"]) == {"1-7", "8-28"}
    assert set(content["buckets"]["1-7"]) >= BUCKET
    assert content["buckets"]["8-28"]["relative_mase"] < 1.0
    assert set(content["series"]) == {"a", "b"}
    with (tmp_path / "o.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [
        "unique_id", "origin", "ds", "y", "mean", ".025", ".1", ".5", ".9", ".975"
    ]  # fmt: skip
    assert len(rows) == 2 * 3 * 28
    last = max(row["origin"] for row in rows)
    assert last == "2023-07-31"
    steps = [row for row in rows if row["unique_id"] == "a" and row["origin"] == last]
    assert (steps[0]["ds"], steps[-1]["ds"]) == ("2023-08-01", "2023-08-28")


def test_an_outcome_written_is_the_outcome_in_the_data(tmp_path: Path) -> None:
    data = write_daily(tmp_path / "d.csv", names=("a",))
    run("--data", str(data), "--freq", "D", "--horizon", "7", "--origins", "2",
        "--forecasts", str(tmp_path / "o.csv"))  # fmt: skip
    with data.open() as file:
        truth = {row["ds"]: float(row["y"]) for row in csv.DictReader(file)}
    with (tmp_path / "o.csv").open() as file:
        for row in csv.DictReader(file):
            assert float(row["y"]) == truth[row["ds"]]


def test_parents_are_sums_in_the_written_forecasts(tmp_path: Path) -> None:
    data = write_daily(tmp_path / "d.csv")
    tree = tmp_path / "tree.csv"
    tree.write_text("unique_id,parent_id\na,all\nb,all\nall,\n")
    code = run("--data", str(data), "--freq", "D", "--horizon", "7", "--origins", "1",
               "--hierarchy", str(tree), "--forecasts", str(tmp_path / "o.csv"))  # fmt: skip
    assert code == 0
    with (tmp_path / "o.csv").open() as file:
        rows = list(csv.DictReader(file))
    for column in ("mean", "y"):
        sums = {name: [float(r[column]) for r in rows if r["unique_id"] == name]
                for name in ("a", "b", "all")}  # fmt: skip
        np.testing.assert_allclose(np.add(sums["a"], sums["b"]), sums["all"], rtol=1e-4)


def test_a_packed_file_and_short_series(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = write_daily(tmp_path / "d.csv", names=("a",))
    text = plain.read_text() + "short,2023-08-01,5\n"
    packed = tmp_path / "d.csv.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert run("--data", str(packed), "--freq", "D", "--horizon", "7", "--origins", "1") == 0
    assert "skipped short" in capsys.readouterr().err


def test_the_baseline_is_shown_beside_and_equals_itself(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_daily(tmp_path / "d.csv", names=("a",), days=100)
    output = tmp_path / "o.json"
    assert run("--data", str(data), "--freq", "D", "--horizon", "7", "--origins", "1",
               "--baselines", "--json", str(output)) == 0  # fmt: skip
    assert "seasonal-naive" in capsys.readouterr().out
    naive = json.loads(output.read_text())["baselines"]["seasonal-naive"]["1-7"]
    assert naive["relative_mase"] == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("id,ds,y\n", "line 1: no column 'unique_id'"),
        ("unique_id,ds,y\n", "no rows"),
        ("unique_id,ds,y\na,2023-01-01,1\na,yesterday,2\n", "line 3: ds 'yesterday'"),
        ("unique_id,ds,y\na,2023-01-01,-1\n", "line 2: y must be"),
        ("unique_id,ds,y\na,2023-01-01,inf\n", "line 2: y must be"),
        ("unique_id,ds,y\na,2023-01-01,many\n", "line 2:"),
        ("unique_id,ds,y\na,2023-01-01\n", "line 2: wrong number"),
        ("unique_id,ds,y\n,2023-01-01,1\n", "line 2: unique_id is empty"),
        ("unique_id,ds,y\na,2023-01-01,1\na,2023-01-01,1\n", "step twice"),
        ("unique_id,ds,y\na,2023-01-01,1\n", "shorter than two weeks"),
    ],
)
def test_bad_files_are_refused_with_their_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, reason: str
) -> None:
    data = tmp_path / "bad.csv"
    data.write_text(text)
    assert run("--data", str(data), "--freq", "D", "--horizon", "7", "--origins", "1") == 2
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--horizon", "301", "--origins", "1"), "1 to 300"),
        (("--horizon", "0", "--origins", "1"), "1 to 300"),
        (("--horizon", "7", "--origins", "0"), "at least 1"),
        (("--horizon", "7", "--origins", "1", "--country", "ZZ"), "ISO code"),
        (("--horizon", "7", "--origins", "1", "--timezone", "Nowhere"), "IANA"),
        (("--horizon", "7", "--origins", "1", "--hierarchy", "absent.csv"), "cannot read"),
    ],
)
def test_bad_options_are_explained(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], reason: str
) -> None:
    data = write_daily(tmp_path / "d.csv")
    assert run("--data", str(data), "--freq", "D", *words) == 2
    assert reason in capsys.readouterr().err


def test_a_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--data", "nowhere.csv", "--freq", "D", "--horizon", "7", "--origins", "1") == 2
    assert capsys.readouterr().err.startswith("backtest: cannot read nowhere.csv")


def write_hourly(path: Path, *, stamped_in_utc: bool) -> Path:
    """A London rhythm over a year, stamped by the wall clock or in UTC."""
    random, calendar = np.random.default_rng(1), Calendar("Europe/London")
    first = int(datetime(2023, 1, 1, tzinfo=UTC).timestamp()) // 3600
    hours = np.arange(first, first + 40 * 168)
    local = calendar.local_hours(hours) if stamped_in_utc else hours
    counts = random.poisson(20.0 * (1.1 + np.cos((local % 24 - 14) / 24 * 2 * np.pi)))
    with path.open("w", encoding="utf-8") as file:
        file.write("unique_id,ds,y\n")
        for hour, count in zip(hours, counts, strict=True):
            stamp = datetime.fromtimestamp(int(hour) * 3600, UTC)
            file.write(f"a,{stamp:%Y-%m-%d %H:%M:%S},{count}\n")
    return path


@pytest.mark.parametrize("stamped_in_utc", [True, False])
def test_the_clock_of_bare_stamps_is_recognised(tmp_path: Path, stamped_in_utc: bool) -> None:
    path = write_hourly(tmp_path / "h.csv", stamped_in_utc=stamped_in_utc)
    file = read_series(path, Frequency.HOURLY)
    assert file.naive
    calendar = Calendar("Europe/London")
    assert wall_clock(file.series, calendar, file.series["a"].end) is not stamped_in_utc


def test_stamps_with_an_offset_are_moments(tmp_path: Path) -> None:
    path = tmp_path / "h.csv"
    path.write_text("unique_id,ds,y\na,2023-07-01T01:00:00+01:00,4\na,2023-07-01T01:00:00Z,5\n")
    file = read_series(path, Frequency.HOURLY)
    assert not file.naive
    np.testing.assert_array_equal(file.series["a"].values, [4.0, 5.0])


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "d.csv.gz"
    path.write_bytes(b"no gzip")
    with pytest.raises(SeriesError, match="not UTF-8"):
        read_series(path, Frequency.DAILY)
