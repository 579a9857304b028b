"""The thin HTTP client against a server of raw bytes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.simulator.adapters.http_client import HttpClient, Unreachable

Answer = Callable[[bytes], bytes | None]
OK = b"HTTP/1.1 202 Accepted\r\nContent-Length: 2\r\nX-A: b\r\n\r\n{}"


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[tuple[str, list[int]]]:
    """A server that gives `answer(request)`, None cuts off; its address and its connections."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(connections))
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
                body = await reader.readexactly(int(length or 0))
                said = answer(head + body)
                if said is None:
                    return
                writer.write(said)
        except asyncio.IncompleteReadError:
            return
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/base/", connections


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
