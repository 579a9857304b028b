"""httpx over aiohttp, to the workers: httpx's own way takes more CPU than most of their answers."""

from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from typing import Final, cast

import aiohttp
import httpx
from yarl import URL

MOST_CONNECTIONS: Final = 100
# Fewer than the 5 s after which uvicorn closes a connection that rests: none is used as it closes.
IDLE_SECONDS: Final = 4.0


class AiohttpTransport(httpx.AsyncBaseTransport):
    """Bodies go as they come, answers are read whole; httpx's timeouts and httpx's errors."""

    def __init__(self, connections: int = MOST_CONNECTIONS) -> None:
        """connections: at once; whoever asks for more waits, `pool` seconds at most."""
        self._connections = connections
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Raises httpx.TransportError."""
        limits = request.extensions.get("timeout", {})
        timeout = aiohttp.ClientTimeout(
            connect=limits.get("pool"),
            sock_connect=limits.get("connect"),
            sock_read=limits.get("read"),
        )
        with _errors_of_httpx():
            async with self._opened().request(
                request.method,
                URL(str(request.url), encoded=True),
                headers=_named_as_given(request),
                data=_body(request),
                timeout=timeout,
                allow_redirects=False,
            ) as answer:
                body = await answer.read()
        stream = httpx.ByteStream(body)
        return httpx.Response(answer.status, headers=answer.raw_headers, stream=stream)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _opened(self) -> aiohttp.ClientSession:
        # Not before there is a running loop, which it belongs to.
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections, keepalive_timeout=IDLE_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            )
        return self._session


def _named_as_given(request: httpx.Request) -> list[tuple[str, str]]:
    """How the body is framed, aiohttp says by itself."""
    raw = request.headers.raw
    known = [(name.decode("ascii"), value.decode("latin-1")) for name, value in raw]
    return [each for each in known if each[0].lower() != "transfer-encoding"]


def _body(request: httpx.Request) -> bytes | AsyncIterable[bytes] | None:
    if isinstance(request.stream, httpx.ByteStream):
        return request.content or None
    # The types do not say so, but an asynchronous client has no other streams.
    return cast("httpx.AsyncByteStream", request.stream)


@contextmanager
def _errors_of_httpx() -> Iterator[None]:
    """The first that fits: aiohttp's errors are each other's children."""
    try:
        yield
    except aiohttp.ConnectionTimeoutError as error:  # to get a connection: a free one, or a new one
        raise httpx.ConnectTimeout(str(error)) from error
    except TimeoutError as error:
        raise httpx.ReadTimeout(str(error)) from error
    except aiohttp.ClientConnectorError as error:
        raise httpx.ConnectError(str(error)) from error
    except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        raise httpx.ReadError(str(error)) from error
    except aiohttp.ClientError as error:
        raise httpx.RemoteProtocolError(str(error)) from error
    except ValueError as error:  # a header of several lines
        raise httpx.LocalProtocolError(str(error)) from error
