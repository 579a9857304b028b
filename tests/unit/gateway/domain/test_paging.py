"""Cursors: what `cursor` wrote is read back, anything else is refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.paging import LARGEST_SCORE, Position
from shared.errors import BadRequest

ids = st.text(min_size=1, max_size=128).filter(lambda text: text.isprintable())


@given(st.integers(-LARGEST_SCORE, LARGEST_SCORE), ids)
def test_round_trip(score: int, ticket_id: str) -> None:
    position = Position(score, ticket_id.encode())
    assert Position.parse(position.cursor()) == position
    assert position.cursor().replace("-", "").replace("_", "").isalnum()


def encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "%%%",
        "привет",
        encoded(b"5"),
        encoded(b"5:"),
        encoded(b":T-1"),
        encoded(b"+5:T-1"),
        encoded(b"05:T-1"),
        encoded(b"5_0:T-1"),
        encoded(b"9007199254740993:T-1"),
        encoded(b"5:\xff\xfe"),
        Position(5, b"T-1").cursor() + "!",
        Position(5, b"T-1").cursor() + "=",
    ],
)
def test_a_cursor_nobody_gave_is_refused(cursor: str) -> None:
    with pytest.raises(BadRequest, match="cursor"):
        Position.parse(cursor)


@given(st.text(max_size=60))
def test_no_text_crashes(text: str) -> None:
    try:
        position = Position.parse(text)
    except BadRequest:
        return
    assert position.cursor() == text


def test_ties_are_ordered_by_the_bytes_of_the_id() -> None:
    assert Position(1, "é".encode()) > Position(1, b"z") > Position(0, b"zz")
