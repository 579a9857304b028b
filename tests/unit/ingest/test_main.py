"""The command line of ingest."""

import subprocess
import sys

import pytest

from services.ingest.__main__ import main


def test_help_lists_the_environment(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    assert "INGEST_PSEUDONYM_KEY" in text
    assert "KAFKA_BOOTSTRAP_SERVERS" in text


def test_a_setting_that_cannot_work_is_named() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "services.ingest"],
        env={"INGEST_PSEUDONYM_KEY": "short"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    assert "PSEUDONYM_KEY" in ended.stderr
    assert "short" not in ended.stderr
