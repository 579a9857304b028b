"""Uploaded files: both layouts, bad rows by line, nothing half-loaded, streaming."""

from collections.abc import Iterator
from datetime import date

import numpy as np
import pytest

from services.forecaster.domain.forecasting.series import day_number
from services.forecaster.domain.uploads.files import UploadError, read_hierarchy, read_tickets


def test_tickets_in_the_documented_layout() -> None:
    lines = [
        "queueId;date;new_tickets\n",
        "7;01.02.2020;3\n",
        "7;03.02.2020;5\n",
        "9;29.02.2020;1\n",
    ]
    found = read_tickets(lines)
    assert set(found) == {7, 9}
    assert found[7].start == day_number(date(2020, 2, 1))
    np.testing.assert_array_equal(found[7].values, [3.0, np.nan, 5.0])


@pytest.mark.parametrize(
    "text",
    [
        "\ufeffqueueId;date;new_tickets\r\n1;01.01.2020;2\r\n\r\n",
        "queueId,date,new_tickets\n1,2020-01-01,2\n",
        '"date";"queueId";"new_tickets"\n"01.01.2020";"1";"2.0"\n',
    ],
)
def test_marks_line_ends_delimiters_and_column_order_do_not_matter(text: str) -> None:
    found = read_tickets(text.splitlines(keepends=True))
    assert found[1].values.tolist() == [2.0]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x;01.01.2020;1", "queueId"),
        ("-3;01.01.2020;1", "queueId must not be negative"),
        ("1;31.02.2020;1", "date must be"),
        ("1;30.02.2019;1", "date must be"),
        ("1;01.01.1066;1", "outside 1990"),
        ("1;01.01.2020;-1", "new_tickets"),
        ("1;01.01.2020;nan", "new_tickets"),
        ("1;01.01.2020;1e308", "new_tickets"),
        ("1;01.01.2020;2.5", "new_tickets"),
        ("1;01.01.2020;", "new_tickets"),
        ("1;01.01.2020", "new_tickets"),
        ("5;01.01.2020;1", "twice"),
    ],
)
def test_a_bad_row_is_named_by_line_and_nothing_is_loaded(row: str, reason: str) -> None:
    lines = ["queueId;date;new_tickets\n", "5;01.01.2020;1\n", row + "\n", "6;01.01.2020;1\n"]
    with pytest.raises(UploadError, match=reason) as caught:
        read_tickets(lines)
    assert [problem.line for problem in caught.value.rows] == [3]


def test_many_bad_rows_are_counted_and_the_first_named() -> None:
    lines = ["queueId;date;new_tickets\n", *["bad;row;here\n"] * 1000]
    with pytest.raises(UploadError, match=r"line 2: .*\(and 997 more\)") as caught:
        read_tickets(lines)
    assert (caught.value.total, len(caught.value.rows)) == (1000, 20)


@pytest.mark.parametrize("lines", [[], ["a;b;c\n"], ["queueId;date;new_tickets\n"]])
def test_empty_files_and_wrong_headers_say_what_is_missing(lines: list[str]) -> None:
    with pytest.raises(UploadError, match=r"no column|no rows"):
        read_tickets(lines)


def test_large_files_are_streamed_with_progress() -> None:
    alive = 0

    def lines() -> Iterator[str]:
        nonlocal alive
        yield "queueId;date;new_tickets\n"
        for number in range(120_000):
            alive = number
            yield f"{number % 400};{1 + number // 400 % 28:02d}.{1 + number // 11200:02d}.2020;1\n"

    seen: list[tuple[int, int]] = []
    found = read_tickets(lines(), lambda line: seen.append((line, alive)))
    assert len(found) == 400
    # Reported while the file was being read: no line was drawn far ahead of its report.
    assert [line for line, _ in seen] == [50_000, 100_000]
    assert all(drawn <= line for line, drawn in seen)


def test_a_hierarchy_in_the_documented_layout() -> None:
    tree = read_hierarchy(
        [
            "queueId,level,immediateDescendants,allDescendants\n",
            '1,1,"[2, 3]","[2, 3, 4]"\n',
            '2,2,"[4]","[4]"\n',
            '3,2,"[]","[]"\n',
            "4,3,,\n",
        ]
    )
    assert tree.parents == {1: None, 2: 1, 3: 1, 4: 2}
    assert tree.descendants(1) == (2, 3, 4)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (["1,1,2,2", "3,1,2,2"], "two parents"),
        (["1,1,2,2", "2,2,1,1"], "own ancestor"),
        (["1,1,2,7", "2,2,,"], "disagree"),
        (["1,1,drop table,"], "queue ids"),
        (["1,1,,", "1,1,,"], "twice"),
        (["one,1,,"], "queueId"),
    ],
)
def test_broken_hierarchies_are_refused(rows: list[str], reason: str) -> None:
    header = "queueId,level,immediateDescendants,allDescendants"
    with pytest.raises(UploadError, match=reason):
        read_hierarchy([f"{line}\n" for line in (header, *rows)])
