"""What the documents tell people to type exists, and the topics are all explained."""

import importlib.util
import re
from pathlib import Path

import pytest

from shared import topics

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted(
    path
    for path in (*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"))
    if path.name != "CHANGELOG.md"  # history may name what is gone
) + sorted((CHECKOUT / "services").glob("*/README.md"))
TARGET = re.compile(r"^([a-z]+):", re.MULTILINE)
MAKE = re.compile(r"(?:^|[`$ ])make ([a-z]+)", re.MULTILINE)
MODULE = re.compile(r"python3? -m ([a-z_][\w.]*)")
# An indented or fenced line, or something between backticks: what is meant to be typed.
CODE = re.compile(r"```.*?```|`[^`\n]+`|^(?: {4}|\t).+$", re.MULTILINE | re.DOTALL)


def _typed(document: Path) -> str:
    return "\n".join(match.group() for match in CODE.finditer(document.read_text()))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_commands_exist(document: Path) -> None:
    typed = _typed(document)
    targets = set(TARGET.findall((CHECKOUT / "Makefile").read_text()))
    assert set(MAKE.findall(typed)) <= targets
    modules = {name.rstrip(".") for name in MODULE.findall(typed)}
    assert [name for name in modules if importlib.util.find_spec(name) is None] == []


def test_every_topic_is_explained() -> None:
    text = (CHECKOUT / "docs" / "architecture.md").read_text()
    assert [topic.name for topic in topics.ALL if topic.name not in text] == []


def test_the_readme_shows_the_two_commands() -> None:
    assert {"demo", "test"} <= set(MAKE.findall(_typed(CHECKOUT / "README.md")))
