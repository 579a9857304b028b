"""A thin HTTP/1.1 client for loads: kept-alive connections, one request at a time on each.

httpx costs about a millisecond of CPU per request, more than everything that is to be measured.
"""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_HEAD_BYTES = 65_536


class Unreachable(ConnectionError):
    """No answer: refused, cut off, too slow, or not HTTP as this client speaks it."""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: status, header fields in lower case, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class HttpClient:
    """At most `connections` requests at once to one server; more wait for a free connection."""

    def __init__(self, base_url: str, *, connections: int = 64, timeout: float = 10.0) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"{base_url!r} is no http:// address")
        self._host = parts.hostname
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._port = parts.port or (443 if self._tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._authority = parts.netloc
        self._timeout = timeout
        self._free = asyncio.Semaphore(connections)
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def post_json(self, path: str, body: bytes) -> Reply:
        """POST `body` as application/json. Raises Unreachable."""
        head = (
            f"POST {self._prefix}{path} HTTP/1.1\r\nhost: {self._authority}\r\n"
            f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        return await self._exchange(head.encode() + body)

    async def get(self, path: str) -> Reply:
        """Raises Unreachable."""
        head = f"GET {self._prefix}{path} HTTP/1.1\r\nhost: {self._authority}\r\n\r\n"
        return await self._exchange(head.encode())

    async def close(self) -> None:
        """Close the idle connections."""
        for _, writer in self._idle:
            writer.close()
        self._idle.clear()

    async def _exchange(self, request: bytes) -> Reply:
        async with self._free:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._talk(request)
            except (OSError, EOFError, asyncio.LimitOverrunError, ValueError) as error:
                raise Unreachable(f"{self._authority}: {error or type(error).__name__}") from error

    async def _talk(self, request: bytes) -> Reply:
        reader, writer = self._idle.pop() if self._idle else await self._connect()
        whole = False
        try:
            writer.write(request)
            reply = await _read(reader)
            whole = reply.headers.get("connection", "").lower() != "close"
        finally:
            # A connection whose answer was not read to its end would give it to the next request.
            if whole:
                self._idle.append((reader, writer))
            else:
                writer.close()
        return reply

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(
            self._host, self._port, ssl=self._tls, limit=MAX_HEAD_BYTES
        )


async def _read(reader: asyncio.StreamReader) -> Reply:
    head = await reader.readuntil(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines if line)
    }
    status = int(status_line.split(" ", 2)[1])
    if "content-length" not in headers:
        raise ValueError("an answer without content-length")
    return Reply(status, headers, await reader.readexactly(int(headers["content-length"])))
