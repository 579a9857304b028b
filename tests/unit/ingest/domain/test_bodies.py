"""Bodies: the three formats, and every fault named by its place."""

import orjson
import pytest

from services.ingest.domain.bodies import (
    JSON,
    MAX_ERRORS,
    NDJSON,
    BodyReader,
    UnsupportedMediaType,
)
from services.ingest.domain.posts import CorrectionPost, TicketPost
from shared.errors import InvalidEvent, TooLarge

GOOD: dict[str, object] = {"ticket_id": "t1", "created_at": "2026-03-01T10:00:00+03:00"}
READER = BodyReader(TicketPost, max_events=3)


def lines(*elements: object) -> bytes:
    return b"\n".join(map(orjson.dumps, elements))


def faults(raw: bytes, media_type: str = JSON) -> dict[str, str]:
    with pytest.raises(InvalidEvent) as caught:
        READER.read(raw, media_type)
    return {error.pointer: error.detail for error in caught.value.errors}


@pytest.mark.parametrize(
    ("raw", "media_type", "count"),
    [
        (orjson.dumps(GOOD), JSON, 1),
        (b" \n" + orjson.dumps([GOOD, GOOD]), "Application/JSON; charset=utf-8", 2),
        (lines(GOOD, GOOD, GOOD), NDJSON[0], 3),
        (b"\n" + lines(GOOD, GOOD).replace(b"\n", b"\r\n\r\n") + b"\n", NDJSON[1], 2),
    ],
)
def test_reads(raw: bytes, media_type: str, count: int) -> None:
    posts = READER.read(raw, media_type).posts
    assert [post.ticket_id for post in posts] == ["t1"] * count


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_formats_are_refused(media_type: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        READER.read(orjson.dumps(GOOD), media_type)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"created_at": "2026-03-01T10:00:00"}, "/created_at"),
        ({"created_at": "2026-03-01"}, "/created_at"),
        ({"created_at": 1_700_000_000}, "/created_at"),
        ({"created_at": "1700000000"}, "/created_at"),
        ({"created_at": "1999-12-31T23:59:59Z"}, "/created_at"),
        ({"ticket_id": ""}, "/ticket_id"),
        ({"ticket_id": 7}, "/ticket_id"),
        ({"ticket_id": "a\nb"}, "/ticket_id"),
        ({"ticket_id": "a\x85b"}, "/ticket_id"),
        ({"ticket_id": "x" * 129}, "/ticket_id"),
        ({"event_id": "\x00"}, "/event_id"),
        ({"subject": "s" * 1_001}, "/subject"),
        ({"subject": None}, "/subject"),
        ({"body": "b" * 100_001}, "/body"),
        ({"language": "english"}, "/language"),
        ({"queue": "IT//VPN"}, "/queue"),
        ({"queue": "/IT"}, "/queue"),
        ({"attributes": {"k": [1]}}, "/attributes/k"),
        ({"attributes": {"k": {}}}, "/attributes/k"),
        ({"attributes": {"a/b~c": []}}, "/attributes/a~1b~0c"),
        ({"attributes": {"": 1}}, "/attributes/"),
        ({"attributes": {str(n): n for n in range(51)}}, "/attributes"),
        ({"priority": "high"}, "/priority"),
    ],
)
def test_names_the_field(change: dict[str, object], pointer: str) -> None:
    assert set(faults(orjson.dumps(GOOD | change))) == {pointer}


@pytest.mark.parametrize("number", [b"NaN", b"1e400", b"Infinity", b"1" + b"0" * 30])
def test_numbers_json_cannot_hold_are_refused(number: bytes) -> None:
    raw = orjson.dumps(GOOD)[:-1] + b',"attributes":{"k":' + number + b"}}"
    assert set(faults(raw)) <= {"/attributes/k", ""}


def test_scalars_keep_their_types() -> None:
    attributes = {"s": "x", "i": 2**53 + 1, "f": 0.5, "t": True, "n": None}
    [post] = READER.read(orjson.dumps(GOOD | {"attributes": attributes}), JSON).posts
    assert post.attributes == attributes
    assert post.attributes["t"] is True


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[" * 5_000, b"\xff", b'{"ticket_id":"\\ud800"}', b"null", b"3", b"[]"],
)
def test_what_is_no_event_is_refused_whole(raw: bytes) -> None:
    assert list(faults(raw)) == [""]


def test_array_faults_name_the_element() -> None:
    assert faults(orjson.dumps([GOOD, 7, GOOD | {"x": 1}])).keys() == {"/1", "/2/x"}


def test_line_faults_name_element_and_line() -> None:
    raw = lines(GOOD) + b"\n\n" + lines(GOOD | {"created_at": "2026-03-01T10:00:00"}, GOOD)
    [(pointer, detail)] = faults(raw, NDJSON[0]).items()
    assert pointer == "/1/created_at"
    assert detail.startswith("line 3: ")


def test_two_objects_on_a_line_are_not_two_events() -> None:
    raw = orjson.dumps(GOOD) + b"," + orjson.dumps(GOOD)
    assert faults(raw, NDJSON[0]).keys() == {"/0"}


@pytest.mark.parametrize(
    ("raw", "media_type"),
    [
        (orjson.dumps([GOOD] * 4), JSON),
        (orjson.dumps([{}] * 4), JSON),
        (lines(*[GOOD] * 4), NDJSON[0]),
    ],
)
def test_too_many_events(raw: bytes, media_type: str) -> None:
    with pytest.raises(TooLarge):
        READER.read(raw, media_type)


def test_lists_a_bounded_number_of_faults() -> None:
    reader = BodyReader(TicketPost, max_events=500)
    with pytest.raises(InvalidEvent) as caught:
        reader.read(orjson.dumps([{"z" * 1_000: 1}] * 500), JSON)
    assert len(caught.value.errors) == MAX_ERRORS
    assert "1500 faults" in caught.value.detail
    assert all(len(error.pointer) <= 300 for error in caught.value.errors)


def test_a_correction_sets_something() -> None:
    reader = BodyReader(CorrectionPost, max_events=3)
    nothing = {"ticket_id": "t1", "actor": "a"}
    assert reader.read(orjson.dumps(nothing | {"topic": "vpn"}), JSON).posts[0].topic == "vpn"
    with pytest.raises(InvalidEvent) as caught:
        reader.read(orjson.dumps([nothing]), JSON)
    assert [error.pointer for error in caught.value.errors] == ["/0"]
