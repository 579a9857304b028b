"""Reading labelled tickets, and the sentence for each file that cannot be read."""

import gzip
from pathlib import Path

import pytest

from services.classifier.evaluation.tables import Columns, UnusableData, read_tickets

CSV = 'subject,body,topic,urgency\nhello,"a, ""quoted""\nbody",vpn,high\n,plain,mail,low\n'
COLUMNS = Columns("body", "topic", subject="subject", priority="urgency")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_plain_and_gzipped_files_read_alike(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    content = CSV.encode()
    path.write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    found = read_tickets(path, COLUMNS)
    assert found.texts == ['hello\na, "quoted"\nbody', "plain"]
    assert found.labels == ["vpn", "mail"]
    assert found.priorities == ["high", "low"]
    assert found.rows == [0, 1]


def test_rows_without_a_label_are_left_out_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,x\nb, \nshort\n,y\n")
    found = read_tickets(path, Columns("text", "label"))
    assert (found.texts, found.labels, found.rows) == (["a", ""], ["x", "y"], [0, 3])
    assert found.skipped == 2


def test_texts_alone_need_no_label(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("text,label\na,\nb,\n")
    assert read_tickets(path, Columns("text")).texts == ["a", "b"]


def test_a_byte_order_mark_and_bad_utf8_do_not_stop_the_reading(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xef\xbb\xbftext,label\n\xff\xfe broken,x\n")
    assert read_tickets(path, Columns("text", "label")).texts == ["\ufffd\ufffd broken"]


def test_a_cell_of_a_megabyte_is_read(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(f"text,label\n{'a' * 1_000_000},x\n")
    assert len(read_tickets(path, Columns("text", "label")).texts[0]) == 1_000_000


def test_taking_rows_keeps_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(CSV)
    taken = read_tickets(path, COLUMNS).take([1])
    assert (taken.rows, taken.texts, taken.labels) == ([1], ["plain"], ["mail"])
    assert taken.priorities == ["low"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "there is no file"),
        (b"", "is empty"),
        (b"text,other\na,b\n", "has no column 'label'; its columns are 'text', 'other'"),
        (b"text,label\n", "holds no labelled row"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    path = tmp_path / "t.csv"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UnusableData, match=sentence):
        read_tickets(path, Columns("text", "label"))


def test_a_torn_gzip_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(CSV.encode())[:-12])
    with pytest.raises(UnusableData, match="not a whole gzip file"):
        read_tickets(path, COLUMNS)


def test_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableData, match="is a folder"):
        read_tickets(tmp_path, COLUMNS)
