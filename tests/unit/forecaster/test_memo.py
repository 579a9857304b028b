"""The memory of forecasts: made once, bounded, and an error is not remembered."""

import asyncio
from threading import Event

import numpy as np
import pytest

from services.forecaster.domain.forecasting.distribution import ForecastDistribution
from services.forecaster.domain.forecasting.series import Frequency
from services.forecaster.memo import Memo


def made(steps: int = 10) -> ForecastDistribution:
    return ForecastDistribution(
        Frequency.DAILY, 0, np.zeros(steps), np.zeros((steps, 5)), "by hand"
    )


async def test_who_asks_for_what_is_being_made_waits_for_it() -> None:
    memo, go, calls = Memo(), Event(), []
    begun, loop = asyncio.Event(), asyncio.get_running_loop()

    def work() -> ForecastDistribution:
        calls.append(1)
        loop.call_soon_threadsafe(begun.set)
        assert go.wait(30)
        return made()

    asked = [asyncio.create_task(memo.make("a", work)) for _ in range(5)]
    await begun.wait()
    asked[0].cancel()
    go.set()
    answers = await asyncio.gather(*asked[1:])
    assert len(calls) == 1
    assert all(answer is answers[0] for answer in answers)
    assert memo.known("a") is answers[0]


async def test_the_least_recently_used_is_forgotten() -> None:
    memo = Memo(most_steps=25)
    for key in ("a", "b"):
        await memo.make(key, made)
    assert memo.known("a") is not None
    await memo.make("c", made)
    assert [memo.known(key) is not None for key in "abc"] == [True, False, True]


async def test_an_error_is_raised_to_whoever_asked_and_not_remembered() -> None:
    memo = Memo()

    def fail() -> ForecastDistribution:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await memo.make("a", fail)
    assert (await memo.make("a", made)).method == "by hand"


async def test_what_is_kept_again_counts_once() -> None:
    memo = Memo(most_steps=25)
    again = made()
    for each in (made(), again):
        memo.keep("a", each)
    memo.keep("b", made())
    assert memo.known("a") is again
    assert memo.known("b") is not None
