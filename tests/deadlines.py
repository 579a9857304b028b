"""Waiting for a condition with a generous deadline: what tests do instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar, overload

T = TypeVar("T")
POLL_SECONDS = 0.02


@overload
async def eventually(
    condition: Callable[[], Awaitable[T]], seconds: float = ..., *, what: str = ...
) -> T: ...
@overload
async def eventually(condition: Callable[[], T], seconds: float = ..., *, what: str = ...) -> T: ...
async def eventually(
    condition: Callable[[], T | Awaitable[T]], seconds: float = 30.0, *, what: str = ""
) -> T:
    """The first truthy answer of `condition` (plain or async). AssertionError past the deadline.

    `what` says in words what was waited for. Exceptions of the condition are not swallowed.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        value = await answer if inspect.isawaitable(answer) else answer
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_late(condition, seconds, what, value))
        await asyncio.sleep(POLL_SECONDS)


def wait_until(condition: Callable[[], T], seconds: float = 30.0, *, what: str = "") -> T:
    """`eventually` for tests without an event loop."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(_late(condition, seconds, what, value))
        time.sleep(POLL_SECONDS)


def _late(condition: object, seconds: float, what: str, value: object) -> str:
    wanted = what or getattr(condition, "__qualname__", repr(condition))
    return f"not within {seconds:g} s: {wanted} (last answer: {value!r})"
