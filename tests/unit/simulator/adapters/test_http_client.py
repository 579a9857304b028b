"""The thin HTTP client against a server of raw bytes."""

import asyncio
from collections.abc import Awaitable

import pytest

from services.simulator.adapters.http_client import HttpClient, Unreachable
from tests.raw_server import serving

OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}"


async def all_of(*calls: Awaitable[object]) -> None:
    await asyncio.gather(*calls)


async def test_posts_and_keeps_the_connection() -> None:
    requests: list[bytes] = []

    def answer(request: bytes) -> bytes:
        requests.append(request)
        return OK

    async with serving(answer) as (url, connections):
        client = HttpClient(url)
        for body in (b'{"a":1}', b""):
            reply = await client.post_json("/v1/events", body)
            assert (reply.status, reply.body, reply.headers["x-a"]) == (202, b"{}", "b")
        await client.close()
    assert requests[0].startswith(b"POST /base/v1/events HTTP/1.1\r\nhost: 127.0.0.1:")
    assert requests[0].endswith(b'\r\ncontent-length: 7\r\n\r\n{"a":1}')
    assert connections == [0]


async def test_uses_no_more_connections_than_allowed() -> None:
    async with serving(lambda _: OK) as (url, connections):
        client = HttpClient(url, connections=3)
        await all_of(*(client.get("/") for _ in range(30)))
        await client.close()
    assert 1 <= len(connections) <= 3


@pytest.mark.parametrize(
    "said",
    [
        None,
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"SMTP ready\r\n\r\n",
        b"x" * 200_000,
    ],
)
async def test_what_is_no_answer_is_unreachable(said: bytes | None) -> None:
    async with serving(lambda _: said) as (url, _):
        client = HttpClient(url)
        with pytest.raises(Unreachable):
            await client.get("/")
        await client.close()


async def test_silence_is_unreachable_and_its_connection_is_not_used_again() -> None:
    answers = iter([b"HTTP/1.1 200 OK\r\n", OK])
    async with serving(lambda _: next(answers)) as (url, connections):
        client = HttpClient(url, timeout=0.2)
        with pytest.raises(Unreachable):
            await client.get("/")
        assert (await client.get("/")).status == 202
        await client.close()
    assert connections == [0, 1]


async def test_a_server_that_closes_is_connected_to_again() -> None:
    closing = OK.replace(b"X-A: b", b"Connection: close")
    async with serving(lambda _: closing) as (url, connections):
        client = HttpClient(url)
        for _ in range(2):
            assert (await client.get("/")).status == 202
        await client.close()
    assert connections == [0, 1]


@pytest.mark.parametrize("url", ["localhost:8001", "ftp://x", "http://"])
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(ValueError, match="address"):
        HttpClient(url)
