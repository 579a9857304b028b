"""The shape of the repository: what lies at the top, how long files are, what is never written."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
THIS = Path(__file__).resolve().relative_to(CHECKOUT)
TOP_LEVEL = {
    ".ci", ".dockerignore", ".env.example", ".gitattributes", ".gitignore", "CHANGELOG.md",
    "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile", "README.md", "bench", "constraints.txt",
    "deploy", "docker-compose.yml", "docs", "pyproject.toml", "services", "shared", "tests",
}  # fmt: skip
LONGEST_FILE = 320
NAMELESS = {"utils", "util", "helpers", "helper", "common", "misc"}
MACHINE_PATH = re.compile(r"(?<![\w.}$/-])/(?:work|root|home|Users)/\w")
INDEX_HOST = re.compile(
    r"(?:pypi|pythonhosted|npmjs|jfrog|nexus|artifactory)[.]\w+|repo1?[.]maven[.]|--index-url"
    r"|https?://(?:10|127|172|192)[.]\d+[.]\d+[.]\d+(?::\d+)?/(?:simple|maven|repository)"
)
# In parts, so that this file does not name what it searches for.
HOME_FOLDER = "/".join(["", "root", "x"])
PATCHING = re.compile(r"mock[.]patch|from unittest[.]mock|import unittest[.]mock|\bMagicMock\b")


def _tracked(pattern: str = "") -> list[Path]:
    """Files that are in the repository, or will be with the next commit."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    paths = {Path(line) for line in listed.stdout.splitlines() if line.endswith(pattern)}
    return sorted(path for path in paths if (CHECKOUT / path).is_file())


def _matches(expression: re.Pattern[str], paths: list[Path]) -> Iterator[str]:
    for path in paths:
        if path == THIS:
            continue  # its examples are findings
        try:
            text = (CHECKOUT / path).read_text()
        except UnicodeDecodeError:
            continue
        for number, line in enumerate(text.splitlines(), start=1):
            if expression.search(line):
                yield f"{path}:{number}: {line.strip()[:120]}"


def test_nothing_at_the_top_that_was_not_agreed_on() -> None:
    assert {path.parts[0] for path in _tracked()} <= TOP_LEVEL


def test_no_file_is_longer_than_one_can_read() -> None:
    lengths = {path: len((CHECKOUT / path).read_text().splitlines()) for path in _tracked(".py")}
    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def test_every_module_is_named_after_what_it_is() -> None:
    named = [path for path in _tracked(".py") if NAMELESS & {path.stem, *path.parts[:-1]}]
    assert named == []


def test_no_package_index_is_named() -> None:
    assert list(_matches(INDEX_HOST, _tracked())) == []


def test_no_path_of_a_machine_is_written_down() -> None:
    # The Dockerfile's paths are those of its image.
    assert list(_matches(MACHINE_PATH, [p for p in _tracked() if p.name != "Dockerfile"])) == []


def test_no_test_patches_the_inside_of_what_it_tests() -> None:
    tests = [path for path in _tracked(".py") if path.parts[0] == "tests"]
    assert list(_matches(PATCHING, tests)) == []


@pytest.mark.parametrize(
    ("expression", "bad", "good"),
    [
        (MACHINE_PATH, f"see {HOME_FOLDER}", f"GET /v1{HOME_FOLDER}"),
        (MACHINE_PATH, 'Path("/home/me")', "${HOME}/home/me"),
        (INDEX_HOST, "https://pypi" + ".org/simple", "installs from PyPI"),
        (INDEX_HOST, "url = http://10.1.2.3:8081/repository/x", "http://127.0.0.1:8000/api/x"),
        (PATCHING, "with mock.patch('x'):", "with monkeypatch.context():"),
    ],
)
def test_the_searches_find_what_they_are_for(
    expression: re.Pattern[str], bad: str, good: str
) -> None:
    assert expression.search(bad)
    assert not expression.search(good)
