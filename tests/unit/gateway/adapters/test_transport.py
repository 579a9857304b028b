"""httpx over aiohttp, against servers that answer well, badly, late and not at all."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from services.gateway.adapters import transport
from services.gateway.adapters.transport import AiohttpTransport
from tests.raw_server import serving

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"


def a_client(connections: int = 100, **options: object) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=AiohttpTransport(connections), **options)  # type: ignore[arg-type]


async def test_asks_and_keeps_the_connection() -> None:
    requests: list[bytes] = []

    def answer(request: bytes) -> bytes:
        requests.append(request)
        return OK

    async with serving(answer) as (url, connections), a_client() as client:
        for body in (b'{"a":1}', b""):
            reply = await client.post(url + "v1", content=body, params={"q": "1 2"})
            assert (reply.status_code, reply.content, reply.headers["x-a"]) == (202, b"{}", "b")
    head, _, body = requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /base/v1?q=1+2 HTTP/1.1\r\nHost: 127.0.0.1:"), head
    assert (b"Content-Length: 7" in head, body) == (True, b'{"a":1}')
    assert connections == [0]


async def test_an_answer_in_chunks() -> None:
    async with serving(lambda _: CHUNKED) as (url, connections), a_client() as client:
        assert [(await client.get(url)).content for _ in range(2)] == [b"abcde"] * 2
    assert connections == [0]


async def test_a_body_of_unknown_length_is_passed_on_as_it_comes() -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"a;b"
        yield b"c;d"

    requests: list[bytes] = []

    def answer(request: bytes) -> bytes:
        requests.append(request)
        return OK

    async with serving(answer) as (url, _), a_client() as client:
        assert (await client.post(url, content=parts())).status_code == 202
    assert requests[0].endswith(b"\r\n\r\n3\r\na;b\r\n3\r\nc;d\r\n0\r\n\r\n")


async def test_uses_no_more_connections_than_allowed() -> None:
    async with serving(lambda _: OK) as (url, connections), a_client(connections=3) as client:
        await asyncio.gather(*(client.get(url) for _ in range(30)))
    assert 1 <= len(connections) <= 3


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (None, httpx.ReadError),
        (b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n", httpx.RemoteProtocolError),
        (b"SMTP ready\r\n\r\n", httpx.RemoteProtocolError),
    ],
)
async def test_what_is_no_answer(said: bytes | None, error: type[Exception]) -> None:
    async with serving(lambda _: said) as (url, _), a_client() as client:
        with pytest.raises(error):
            await client.get(url)


async def test_silence_ends_its_connection_and_the_next_one_asks_anew() -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", OK])
    async with serving(lambda _: next(answers)) as (url, connections), a_client() as client:
        with pytest.raises(httpx.ReadTimeout):
            await client.get(url, timeout=0.2)
        assert (await client.get(url)).status_code == 202
    assert connections == [0, 1]


async def test_who_leaves_takes_the_connection_along() -> None:
    asked = asyncio.Event()

    def answer(_: bytes) -> bytes:
        first = not asked.is_set()
        asked.set()
        return b"HTTP/1.1 200 OK\r\n" if first else OK

    async with serving(answer) as (url, connections), a_client() as client:
        leaving = asyncio.create_task(client.get(url))
        await asked.wait()
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert (await client.get(url)).status_code == 202
    assert connections == [0, 1]


async def test_a_server_that_closes_is_connected_to_again() -> None:
    closing = OK.replace(b"X-A: b", b"Connection: close")
    async with serving(lambda _: closing) as (url, connections), a_client() as client:
        for _ in range(2):
            assert (await client.get(url)).status_code == 202
    assert connections == [0, 1]


async def test_a_connection_that_rested_too_long_is_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(transport, "IDLE_SECONDS", -1.0)
    async with serving(lambda _: OK) as (url, connections), a_client() as client:
        for _ in range(2):
            assert (await client.get(url)).status_code == 202
    assert connections == [0, 1]


async def test_no_place_is_no_answer_in_time() -> None:
    async with serving(lambda _: b"HTTP/1.1 200 OK\r\n") as (url, _), a_client(1) as client:
        waiting = asyncio.create_task(client.get(url))
        await asyncio.sleep(0)
        with pytest.raises(httpx.ConnectTimeout):
            await client.get(url, timeout=httpx.Timeout(10.0, pool=0.1))
        waiting.cancel()


async def test_nobody_there() -> None:
    async with a_client() as client:
        with pytest.raises(httpx.ConnectError):
            await client.get("http://127.0.0.1:9/")


async def test_a_header_of_several_lines_is_not_sent() -> None:
    async with serving(lambda _: OK) as (url, _), a_client() as client:
        with pytest.raises(httpx.LocalProtocolError):
            await client.get(url, headers={"Idempotency-Key": "a\r\nX: b"})
