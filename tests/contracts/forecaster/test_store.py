"""What every Store must do: in memory and on a real Valkey."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from redis.asyncio import Redis

from services.forecaster.adapters.store import RedisStore, Store
from shared.errors import Unavailable
from tests.fakes import InMemoryStore


class StoreContract:
    async def test_what_was_never_put_is_absent(
        self, store: Store, unique: Callable[[str], str]
    ) -> None:
        assert await store.members(unique("set")) == frozenset()
        assert await store.strings([unique("a"), unique("b")]) == [None, None]
        assert await store.strings([]) == []
        assert await store.fields(unique("hash")) == {}
        assert not await store.has_field(unique("hash"), "x")
        assert await store.drop_fields(unique("hash"), ["x"]) == 0
        assert await store.drop_fields(unique("hash"), []) == 0

    async def test_strings_are_put_and_dropped_together(
        self, store: Store, unique: Callable[[str], str]
    ) -> None:
        one, two, three = unique("one"), unique("two"), unique("three")
        await store.put({one: b"\x00\xff", two: b"2"}, 60)
        await store.put({three: b"3", two: b"22"}, 60, drop=[one, two])
        assert await store.strings([three, one, two]) == [b"3", None, b"22"]

    async def test_slices_end_where_a_string_ends(
        self, store: Store, unique: Callable[[str], str]
    ) -> None:
        long, short = unique("long"), unique("short")
        await store.put({long: b"0123456789", short: b"01234"}, 60)
        assert await store.slices([long, short, unique("none")], 3, 7) == [b"3456", b"34", b""]
        assert await store.slices([], 0, 4) == []

    async def test_fields_are_set_and_dropped(
        self, store: Store, unique: Callable[[str], str]
    ) -> None:
        key = unique("hash")
        for name, value in (("a", b"1"), ("b", b"2"), ("a", b"3")):
            await store.set_field(key, name, value)
        assert await store.fields(key) == {"a": b"3", "b": b"2"}
        assert [await store.has_field(key, name) for name in "abc"] == [True, True, False]
        assert await store.drop_fields(key, ["a", "c"]) == 1
        assert await store.fields(key) == {"b": b"2"}


class TestInMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> Store:
        return InMemoryStore()


class TestRedisStore(StoreContract):
    @pytest.fixture
    async def store(self, redis_url: str) -> AsyncIterator[Store]:
        async with Redis.from_url(redis_url) as client:
            yield RedisStore(client)

    async def test_what_is_put_expires(self, redis_url: str, unique: Callable[[str], str]) -> None:
        async with Redis.from_url(redis_url) as client:
            await RedisStore(client).put({unique("x"): b"1"}, 60)
            assert 0 < await client.ttl(unique("x")) <= 60

    async def test_a_thousand_questions_at_once_are_all_answered(
        self, store: Store, unique: Callable[[str], str]
    ) -> None:
        await store.put({unique("x"): b"1"}, 60)
        answers = await asyncio.gather(*(store.strings([unique("x")]) for _ in range(1_000)))
        assert answers == [[b"1"]] * 1_000

    async def test_members_by_score(self, redis_url: str, unique: Callable[[str], str]) -> None:
        scores = {"a": 10, "ö": 20, "c": 20, "d": 30}
        async with Redis.from_url(redis_url) as client:
            await client.zadd(unique("zset"), scores)
            memory = InMemoryStore(scores={unique("zset"): scores})
            for store in (RedisStore(client), memory):
                assert await store.scored(unique("zset"), 10, 30, 9) == ["a", "c", "ö"]
                assert await store.scored(unique("zset"), 20, 31, 2) == ["c", "ö"]
                assert await store.scored(unique("none"), 0, 99, 9) == []

    async def test_members_of_a_set(self, redis_url: str, unique: Callable[[str], str]) -> None:
        async with Redis.from_url(redis_url) as client:
            await client.sadd(unique("set"), "IT/Größe", "HR")
            assert await RedisStore(client).members(unique("set")) == {"IT/Größe", "HR"}

    async def test_no_answer_is_unavailable(self) -> None:
        async with Redis.from_url("redis://127.0.0.1:9/0") as client:
            for call in (
                RedisStore(client).members("x"),
                RedisStore(client).strings(["x"]),
                RedisStore(client).put({"x": b""}, 1),
                RedisStore(client).slices(["x"], 0, 4),
                RedisStore(client).scored("x", 0, 1, 1),
                RedisStore(client).fields("x"),
                RedisStore(client).has_field("x", "y"),
                RedisStore(client).set_field("x", "y", b""),
                RedisStore(client).drop_fields("x", ["y"]),
            ):
                with pytest.raises(Unavailable, match="Redis does not answer"):
                    await call
