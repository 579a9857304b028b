"""Which columns of a file of real tickets hold text and label."""

import gzip
from pathlib import Path

import pytest

from deploy.local.models import RealTickets
from deploy.local.settings import LocalSettings
from shared.errors import Misconfigured


def _file(folder: Path, header: str) -> Path:
    path = folder / "tickets.csv.gz"
    path.write_bytes(gzip.compress(f"{header}\nx,y,z\n".encode()))
    return path


@pytest.mark.parametrize(
    ("header", "text", "label"),
    [
        ("Document,Topic_group", "Document", "Topic_group"),
        ("id,Body,Category", "Body", "Category"),
        ("label,text", "text", "label"),
    ],
)
def test_usual_names_are_found(tmp_path: Path, header: str, text: str, label: str) -> None:
    found = RealTickets.find(LocalSettings(demo_data=_file(tmp_path, header)))
    assert found is not None
    assert (found.text, found.label) == (text, label)


def test_named_columns_win(tmp_path: Path) -> None:
    path = _file(tmp_path, "text,label,other")
    found = RealTickets.find(LocalSettings(demo_data=path, demo_text="other", demo_label="label"))
    assert found is not None
    assert found.text == "other"


@pytest.mark.parametrize("given", [None, "missing"])
def test_a_column_that_is_not_there_is_asked_for(tmp_path: Path, given: str | None) -> None:
    path = _file(tmp_path, "a,b")
    with pytest.raises(Misconfigured, match="Set DEMO_TEXT to a column of the file; it has: a, b"):
        RealTickets.find(LocalSettings(demo_data=path, demo_text=given))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"DEMO_DATA=.*none\.csv cannot be read: No such file"):
        RealTickets.find(LocalSettings(demo_data=tmp_path / "none.csv"))


def test_without_data_there_is_none() -> None:
    assert RealTickets.find(LocalSettings(demo_data=None)) is None
