"""A Redis that refuses writes is waited for; one that calls a command wrong is not."""

import asyncio

import pytest
from prometheus_client import REGISTRY
from redis.asyncio import Redis
from redis.exceptions import ResponseError

from deploy.local.valkey import LocalValkey
from services.forecaster.adapters.read_side import Position, RedisReadSide, WritesRefused
from tests.deadlines import eventually

pytestmark = pytest.mark.integration

RETRIES = "deskstream_forecaster_redis_retries_total"


def _retries(error: str = "WritesRefused") -> float:
    return REGISTRY.get_sample_value(RETRIES, {"error": error}) or 0.0


async def test_a_refused_write_is_repeated_until_it_is_taken(valkey: LocalValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        side = RedisReadSide(client)
        # As MISCONF with a full disk, but without the disk.
        await client.config_set("min-replicas-to-write", 1)
        before = _retries()
        under_way = asyncio.create_task(side.apply("t", 0, 0, Position(1, 0), [("SET", "k", "v")]))
        await eventually(lambda: _retries() > before, what="the write was refused and repeated")
        assert not under_way.done()
        with pytest.raises(WritesRefused):
            await side.trim(0)
        await client.config_set("min-replicas-to-write", 0)
        assert await under_way == 1
        assert await client.get("k") == b"v"


async def test_a_frozen_redis_is_asked_again_and_the_batch_applied_once(
    valkey: LocalValkey,
) -> None:
    async with Redis.from_url(valkey.url, socket_timeout=None) as client:
        side = RedisReadSide(client, answer_seconds=0.2)
        assert await side.ready() is None
        before = _retries("TimeoutError")
        valkey.freeze()
        try:
            assert "0.2 s" in str(await side.ready())
            command = ("HINCRBY", "once", "applied", 1)
            under_way = asyncio.create_task(side.apply("f", 0, 0, Position(1, 0), [command]))
            what = "the write was given up and repeated"
            await eventually(lambda: _retries("TimeoutError") > before + 1, what=what)
        finally:
            valkey.thaw()
        assert await under_way == 1
        assert await client.hget("once", "applied") == b"1"


async def test_a_defect_is_not_taken_for_an_outage(valkey: LocalValkey) -> None:
    async with Redis.from_url(valkey.url) as client:
        await client.set("position:t:0", "not a hash")
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            await RedisReadSide(client).apply("t", 0, 0, Position(1, 0), [])
