"""Redis behind TLS: every service's client gets in, and believes no foreign certificate."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from deploy.local.valkey import LocalValkey
from services.forecaster.adapters.read_side import Position, RedisReadSide
from services.forecaster.adapters.read_side import connect as connect_forecaster
from services.gateway.adapters.redis_views import RedisViews
from services.gateway.adapters.redis_views import connect as connect_gateway
from services.ingest.adapters.ticket_texts import RedisTicketTexts
from shared.errors import Unavailable
from shared.settings import RedisSettings
from tests.certificates import Certificate, authority, signed

pytestmark = pytest.mark.integration


@asynccontextmanager
async def behind_tls(valkey: LocalValkey, own: Certificate) -> AsyncIterator[int]:
    """The port of a proxy that ends TLS: the Valkey of the wheel is built without it."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while data := await source.read(1 << 16):
                sink.write(data)
        finally:
            sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, questions = await asyncio.open_connection("127.0.0.1", valkey.port)
        await asyncio.gather(pump(reader, questions), pump(answers, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own.file, own.key)
    async with await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context) as server:
        yield server.sockets[0].getsockname()[1]


async def test_every_client_gets_in(valkey: LocalValkey, tmp_path: Path) -> None:
    ours = authority(tmp_path, "ours")
    async with behind_tls(valkey, signed(tmp_path, "redis", ours)) as port:
        settings = RedisSettings(url=f"rediss://127.0.0.1:{port}/0", ssl_ca_file=ours.file)
        async with connect_forecaster(settings) as client:
            command = ("SET", "written", "1")
            side = RedisReadSide(client)
            assert await side.apply("t", 0, 0, Position(1, 0), [command]) == 1
        async with connect_gateway(settings) as client:
            assert await client.get("written") == b"1"
        texts = RedisTicketTexts(settings)
        assert await texts.of(["T-1"]) == {}
        await texts.stop()


async def test_no_client_believes_a_certificate_of_an_unknown_authority(
    valkey: LocalValkey, tmp_path: Path
) -> None:
    async with behind_tls(valkey, signed(tmp_path, "redis", authority(tmp_path, "ours"))) as port:
        settings = RedisSettings(url=f"rediss://127.0.0.1:{port}/0")
        async with connect_forecaster(settings) as client:
            assert "certificate verify failed" in str(await RedisReadSide(client).ready())
        async with connect_gateway(settings) as client:
            with pytest.raises(Unavailable, match="certificate verify failed"):
                await RedisViews(client, 1).ping()
        texts = RedisTicketTexts(settings)
        with pytest.raises(Unavailable) as refused:
            await texts.of(["T-1"])
        assert "certificate verify failed" in str(refused.value.__cause__)
        await texts.stop()
