"""The open loop: intended times, repeats, and an end that comes."""

import asyncio
from collections.abc import Iterable
from functools import partial

import pytest

from services.simulator.adapters.http_client import Reply, Unreachable
from services.simulator.load import OpenLoop, Outcome, Request
from tests.deadlines import eventually

PATH = "/v1/events"


class Script:
    """A server that answers by script; the last line is said again and again."""

    def __init__(self, *lines: int | Exception) -> None:
        self.lines = list(lines)
        self.posts: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def post_json(self, path: str, body: bytes) -> Reply:
        assert path == PATH
        self.posts.append(body)
        await self.gate.wait()
        line = self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]
        if isinstance(line, Exception):
            raise line
        return Reply(line, {}, b"")


def requests(*due: float) -> list[Request]:
    return [Request(at, PATH, partial(str.encode, str(n))) for n, at in enumerate(due)]


async def outcomes(loop: OpenLoop, planned: Iterable[Request]) -> list[Outcome]:
    ended: list[Outcome] = []
    await loop.run(planned, ended.append)
    return ended


async def test_latency_counts_from_the_intended_time() -> None:
    [late, later] = await outcomes(OpenLoop(Script(202)), requests(-5.0, -3.0))
    assert late.accepted
    assert late.latency >= 5
    assert 3 <= later.latency < late.latency


async def test_a_slow_answer_does_not_delay_the_next_request() -> None:
    server = Script(202)
    server.gate.clear()
    loop = OpenLoop(server)
    task = asyncio.create_task(outcomes(loop, requests(0, 0, 0)))
    await eventually(lambda: len(server.posts) == 3)
    server.gate.set()
    assert [o.status for o in await task] == [202] * 3


async def test_requests_wait_for_their_time() -> None:
    clock = 0.0
    server = Script(202)
    loop = OpenLoop(server, clock=lambda: clock)
    task = asyncio.create_task(outcomes(loop, requests(0, 3_600)))
    await eventually(lambda: len(server.posts) == 1)
    loop.stop()
    assert len(await task) == 1
    assert server.posts == [b"0"]


async def test_busy_and_away_get_the_same_bytes_until_accepted() -> None:
    made = 0

    def body() -> bytes:
        nonlocal made
        made += 1
        return b"%d" % made

    server = Script(503, Unreachable("cut off"), 429, 202)
    [outcome] = await outcomes(OpenLoop(server), [Request(0, PATH, body)])
    assert outcome.accepted
    assert outcome.attempts == 4
    assert server.posts == [b"1"] * 4


@pytest.mark.parametrize("status", [413, 422, 500])
async def test_a_refusal_is_final(status: int) -> None:
    server = Script(status)
    [outcome] = await outcomes(OpenLoop(server), requests(0))
    assert (outcome.status, outcome.attempts, outcome.accepted) == (status, 1, False)


async def test_a_measurement_does_not_repeat() -> None:
    server = Script(503, Unreachable("cut off"))
    loop = OpenLoop(server, repeat=False)
    assert [o.status for o in await outcomes(loop, requests(0, 0))] == [503, None]


async def test_stop_ends_repeats() -> None:
    server = Script(503)
    loop = OpenLoop(server)
    task = asyncio.create_task(outcomes(loop, requests(0)))
    await eventually(lambda: len(server.posts) >= 2)
    loop.stop()
    [outcome] = await task
    assert outcome.status == 503


async def test_what_is_outstanding_is_bounded() -> None:
    server = Script(202)
    server.gate.clear()
    started = 0

    def endless() -> Iterable[Request]:
        nonlocal started
        while started < 50:
            started += 1
            yield Request(0, PATH, lambda: b"")

    task = asyncio.create_task(outcomes(OpenLoop(server, max_outstanding=5), endless()))
    await eventually(lambda: len(server.posts) == 5)
    assert started <= 6
    server.gate.set()
    assert len(await task) == 50
