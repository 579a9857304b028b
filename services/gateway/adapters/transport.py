"""HTTP/1.1 to the workers' ports. httpx's own way takes more CPU than most of their answers."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar, cast

import httptools
import httpx

# Fewer than the 5 s after which uvicorn closes a connection that rests: none is used as it closes.
IDLE_SECONDS = 4.0
MOST_CONNECTIONS = 100
Server = tuple[str, int]
Result = TypeVar("Result")


class LeanTransport(httpx.AsyncBaseTransport):
    """Kept-alive connections, one request at a time on each; the timeouts are httpx's.

    Except that `read` is for the whole answer. What nobody asks for often (TLS, bodies of unknown
    length) goes httpx's own way.
    """

    def __init__(self, connections: int = MOST_CONNECTIONS) -> None:
        """connections: at once; whoever asks for more waits, `pool` seconds at most."""
        self._free = asyncio.Semaphore(connections)
        self._idle: dict[Server, list[_Connection]] = {}
        self._other: httpx.AsyncHTTPTransport | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError."""
        sized = isinstance(request.stream, httpx.ByteStream) and request.method != "HEAD"
        if request.url.scheme != "http" or not sized:
            return await self._other_way().handle_async_request(request)
        written = _written(request)
        limits = request.extensions.get("timeout", {})
        await _within(limits.get("pool"), self._free.acquire(), httpx.PoolTimeout)
        try:
            server = (request.url.host, request.url.port or 80)
            connection = self._rested(server) or await _connected(server, limits.get("connect"))
            try:
                answer = connection.ask(written)
                response = await _within(limits.get("read"), answer, httpx.ReadTimeout)
            finally:
                if connection.rests:
                    self._idle.setdefault(server, []).append(connection)
                else:
                    # What is still to come would be taken for the answer to the next request.
                    connection.close()
        finally:
            self._free.release()
        return response

    async def aclose(self) -> None:
        """Close the connections that rest."""
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._idle.clear()
        if self._other is not None:
            await self._other.aclose()

    def _rested(self, server: Server) -> "_Connection | None":
        resting = self._idle.get(server, [])
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while resting:
            connection = resting.pop()
            if connection.rests and connection.since >= oldest:
                return connection
            connection.close()
        return None

    def _other_way(self) -> httpx.AsyncHTTPTransport:
        # Not before it is needed: it reads every certificate that the machine trusts.
        if self._other is None:
            self._other = httpx.AsyncHTTPTransport()
        return self._other


class _Connection(asyncio.Protocol):
    """One connection. rests: it may be asked; since: when it began to rest, by the loop's clock."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._parser = httptools.HttpResponseParser(self)
        self._answer: asyncio.Future[httpx.Response] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self.rests = False
        self.since = 0.0

    async def ask(self, written: bytes) -> httpx.Response:
        """The answer to a request as it goes over the wire. Raises httpx.TransportError."""
        self.rests = False
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body = [], []
        self._answer = self._loop.create_future()
        self._transport.write(written)
        return await self._answer

    def close(self) -> None:
        self.rests = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # Of uvloop it is one in all but the class.
        self._transport, self.rests = cast("asyncio.Transport", transport), True

    def data_received(self, data: bytes) -> None:
        if self._answer is None or self._answer.done():
            self.close()  # nobody asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(httpx.RemoteProtocolError(f"not HTTP: {error}"))

    def on_message_begin(self) -> None:
        if self._answer is not None and self._answer.done():
            self.rests = False  # more than was asked for

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if self._answer is None or self._answer.done():
            return
        self.rests, self.since = self._parser.should_keep_alive(), self._loop.time()
        stream = httpx.ByteStream(b"".join(self._body))
        status = self._parser.get_status_code()
        self._answer.set_result(httpx.Response(status, headers=self._headers, stream=stream))

    def connection_lost(self, error: Exception | None) -> None:
        self.rests = False
        reason = str(error) if error else "the server closed the connection without a whole answer"
        self._fail(httpx.ReadError(reason))

    def _fail(self, error: httpx.TransportError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


async def _connected(server: Server, seconds: float | None) -> _Connection:
    connecting = asyncio.get_running_loop().create_connection(_Connection, *server)
    try:
        _, connection = await _within(seconds, connecting, httpx.ConnectTimeout)
    except OSError as error:
        raise httpx.ConnectError(str(error)) from error
    return connection


async def _within(
    seconds: float | None, work: Awaitable[Result], late: type[httpx.TimeoutException]
) -> Result:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError as error:
        raise late(f"no answer within {seconds} s") from error


def _written(request: httpx.Request) -> bytes:
    """Raises httpx.LocalProtocolError for a header that would begin a line of its own."""
    lines = [b"%s: %s" % header for header in request.headers.raw]
    if any(b"\n" in line or b"\r" in line for line in lines):
        raise httpx.LocalProtocolError("a header may not have several lines")
    first = b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)
    return b"\r\n".join([first, *lines, b"", request.content])
