"""One contract for every read side: the fake of the unit tests and the real Redis."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from redis.asyncio import Redis

from services.forecaster.adapters.read_side import Position, ReadSide, RedisReadSide
from services.forecaster.domain.projection.alerts import project_alerts
from services.forecaster.domain.projection.corrections import Standing, project_corrections
from services.forecaster.domain.projection.labels import Retention, project
from shared.queues import QueueDirectory
from shared.windows import Grain, cells, unpack
from tests.builders import NOON, a_correction, a_label, an_alert, an_undo
from tests.fakes import InMemoryReadSide

RETENTION = Retention(3_600, 400 * 86_400, 100)
TOPIC = "contract"


class ReadSideContract:
    """What the projection relies on."""

    async def test_nothing_stored_is_the_beginning(self, read_side: ReadSide) -> None:
        assert await read_side.position(TOPIC, 0) == Position(0, -1)
        assert await read_side.offsets(TOPIC, [0, 1]) == [0, 0]

    async def test_applying_at_the_expected_position_moves_it(self, read_side: ReadSide) -> None:
        assert await read_side.apply(TOPIC, 0, 0, Position(5, 4), []) == 5
        assert await read_side.position(TOPIC, 0) == Position(5, 4)
        assert await read_side.offsets(TOPIC, [1, 0]) == [0, 5]

    async def test_a_stale_batch_changes_nothing_and_learns_the_position(
        self, read_side: ReadSide
    ) -> None:
        await read_side.apply(TOPIC, 0, 0, Position(5, 4), [])
        stale = [("SET", "ticket:T-1", "x", "EX", 60)]
        assert await read_side.apply(TOPIC, 0, 3, Position(6, 5), stale) == 5
        assert await read_side.tickets(["T-1"]) == {}

    async def test_repeating_a_batch_whose_answer_was_lost_is_safe(
        self, read_side: ReadSide
    ) -> None:
        assert await read_side.apply(TOPIC, 0, 0, Position(5, 4), []) == 5
        assert await read_side.apply(TOPIC, 0, 0, Position(5, 4), []) == 5

    async def test_what_was_taken_for_new_and_is_not_stops_the_batch(
        self, read_side: ReadSide
    ) -> None:
        stored = project([a_label(0)], -1, {}, QueueDirectory(), RETENTION)
        commands = list(stored.commands(RETENTION, NOON))
        assert (
            await read_side.apply_new(TOPIC, 0, 0, Position(1, 0), commands, unseen=["T-0", "T-1"])
            == 1
        )
        write = [("SET", "ticket:T-2", commands[0][2], "EX", 60)]
        known = await read_side.apply_new(TOPIC, 0, 1, Position(2, 1), write, unseen=["T-2", "T-0"])
        assert isinstance(known, Mapping)
        assert {i: each.event_id for i, each in known.items()} == {"T-0": "e-0"}
        assert await read_side.offsets(TOPIC, [0]) == [1]
        assert await read_side.tickets(["T-2"]) == {}
        many = ["T-2", *(f"N-{n}" for n in range(10_000))]
        assert await read_side.apply_new(TOPIC, 0, 1, Position(2, 1), write, unseen=many) == 2

    async def test_the_position_is_compared_before_what_is_new(self, read_side: ReadSide) -> None:
        projection = project([a_label(0)], -1, {}, QueueDirectory(), RETENTION)
        commands = list(projection.commands(RETENTION, NOON))
        for _ in range(2):  # the second time as after a time-out whose answer was lost
            assert (
                await read_side.apply_new(TOPIC, 0, 0, Position(1, 0), commands, unseen=["T-0"])
                == 1
            )

    async def test_tickets_and_humans_read_back(self, read_side: ReadSide) -> None:
        projection = project([a_label(0)], -1, {}, QueueDirectory(), RETENTION)
        commands = list(projection.commands(RETENTION, NOON))
        await read_side.apply(TOPIC, 0, 0, Position(1, 0), commands)
        corrected = project_corrections([a_correction()], Standing(), RETENTION)
        await read_side.apply("corrections", 0, 0, Position(1, 0), corrected.commands)
        known = await read_side.tickets(["T-0", "T-404"])
        assert set(known) == {"T-0"}
        assert (known["T-0"].event_id, known["T-0"].created_at) == ("e-0", NOON)
        assert (await read_side.humans(["T-0", "T-404"]))["T-0"].topic == "printer"

    async def test_corrections_are_found_by_their_id_and_their_author(
        self, read_side: ReadSide
    ) -> None:
        events = [a_correction(), a_correction(event_id="c-2", ticket_id="T-1")]
        corrected = project_corrections(events, Standing(), RETENTION)
        await read_side.apply("corrections", 0, 0, Position(2, 1), corrected.commands)
        assert await read_side.placed(["c-1", "c-2", "c-404"]) == {"c-1": "T-0", "c-2": "T-1"}
        assert await read_side.corrected_by(["kim", "nobody"]) == {
            "kim": ["T-0", "T-1"],
            "nobody": [],
        }
        assert await read_side.placed([]) == {}

    async def test_what_is_undone_leaves_nothing_of_a_ticket_but_that_it_happened(
        self, read_side: ReadSide
    ) -> None:
        corrected = project_corrections([a_correction()], Standing(), RETENTION)
        await read_side.apply("corrections", 0, 0, Position(1, 0), corrected.commands)
        standing = Standing(await read_side.humans(["T-0"]), {}, {"c-1": "T-0"})
        undone = project_corrections([an_undo(correction="c-1")], standing, RETENTION)
        await read_side.apply("corrections", 0, 1, Position(2, 1), undone.commands)
        assert await read_side.humans(["T-0"]) == {}
        assert await read_side.placed(["c-1"]) == {"c-1": "T-0"}

    async def test_alerts_read_back(self, read_side: ReadSide) -> None:
        told = project_alerts([an_alert()], {}, NOON)
        await read_side.apply("alerts", 0, 0, Position(1, 0), told.commands)
        assert await read_side.alerts(["a-1", "a-404"]) == {"a-1": an_alert()}


class TestInMemory(ReadSideContract):
    @pytest.fixture
    def read_side(self) -> ReadSide:
        return InMemoryReadSide()


@pytest.mark.integration
class TestRedis(ReadSideContract):
    @pytest.fixture
    async def client(self, redis_url: str) -> AsyncIterator[Redis]:
        client = Redis.from_url(redis_url)
        await client.flushdb()
        yield client
        await client.aclose()

    @pytest.fixture
    def read_side(self, client: Redis) -> ReadSide:
        return RedisReadSide(client)

    async def test_windows_and_indices_hold_what_was_projected(
        self, read_side: ReadSide, client: Redis
    ) -> None:
        times = [NOON, NOON, datetime(2024, 12, 31, 23, 59, tzinfo=UTC)]
        events = [a_label(n, created_at=at) for n, at in enumerate(times)]
        projection = project(events, -1, {}, QueueDirectory(), RETENTION)
        commands = list(projection.commands(RETENTION, NOON))
        await read_side.apply(TOPIC, 0, 0, Position(3, 2), commands)
        for grain in Grain:
            for moment, count in ((NOON, 2), (times[2], 1)):
                period, cell = cells(grain, moment)
                raw: Any = await client.get(f"load:{grain.value}:{period}:topic:vpn")
                stored = 0 if raw is None else unpack(raw, 8784)[cell]
                expected = 0 if grain is Grain.MINUTE and moment is times[2] else count
                assert stored == expected, (grain, moment)
        assert await client.zcard("index:all") == 3
        assert await client.xlen("feed") == 3
        assert await client.hgetall("totals") == {
            b"labelled": b"3",
            b"counted": b"3",
            b"gaps": b"0",
        }

    async def test_trimming_takes_old_tickets_off_every_index(self, client: Redis) -> None:
        read_side = RedisReadSide(client)
        projection = project(
            [a_label(0, decision="suggested")], -1, {}, QueueDirectory(), RETENTION
        )
        commands = list(projection.commands(RETENTION, NOON))
        await read_side.apply(TOPIC, 0, 0, Position(1, 0), commands)
        await read_side.trim(int(NOON.timestamp() * 1000) + 1)
        assert [await client.zcard(k) for k in ("index:all", "index:topic:vpn", "review")] == [
            0,
            0,
            0,
        ]
