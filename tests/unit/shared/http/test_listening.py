"""A service's own socket: answers leave at once, and a taken port is one clear sentence."""

import asyncio
import socket

import pytest

from shared.errors import Misconfigured
from shared.http.listening import listen


async def test_answers_are_sent_without_delay() -> None:
    accepted: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    bound = listen("127.0.0.1", 0)
    async with await asyncio.start_server(answer, sock=bound):
        _, writer = await asyncio.open_connection(*bound.getsockname())
        assert await accepted
        writer.close()


def test_a_taken_port_is_one_clear_sentence() -> None:
    with listen("127.0.0.1", 0) as first:
        first.listen()
        port = first.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"port {port} .* already taken"):
            listen("127.0.0.1", port)
