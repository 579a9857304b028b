"""The import rules hold, and each of them breaks on a planted violation."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
PACKAGES = ("services", "shared", "deploy")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources and their rules, to spoil."""
    for package in PACKAGES:
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / package, tmp_path / package, ignore=ignore)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    return tmp_path


def _lint(folder: Path) -> tuple[int, str]:
    tool = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [str(tool), "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_rules_hold(copy: Path) -> None:
    code, said = _lint(copy)
    assert code == 0, said


@pytest.mark.parametrize(
    ("module", "line", "rule"),
    [
        ("services/ingest", "import services.gateway.domain", "Services never import each other"),
        ("shared", "import services.ingest.domain", "shared knows no service"),
        (
            "services/ingest/domain",
            "import services.ingest.adapters",
            "Inside a service imports point down",
        ),
        (
            "services/forecaster/domain",
            "import redis",
            "A domain imports no framework, broker or database",
        ),
    ],
)
def test_a_planted_violation_is_seen(copy: Path, module: str, line: str, rule: str) -> None:
    (copy / module / "planted.py").write_text(f'"""Planted."""\n\n{line}\n')
    code, said = _lint(copy)
    assert code == 1
    assert f"{rule} BROKEN" in said
