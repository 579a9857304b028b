"""The least sure share, in batches of any size."""

import numpy as np
import pytest

from services.classifier.domain.selection import LeastSure


def chosen(choice: LeastSure, *confidence: float) -> list[int]:
    places: list[int] = choice.among(np.array(confidence, np.float32)).tolist()
    return places


def test_the_least_sure_of_a_batch_come_first() -> None:
    assert chosen(LeastSure(0.5), 0.9, 0.2, 0.8, 0.1) == [3, 1]


@pytest.mark.parametrize("size", [1, 3, 64])
def test_the_share_holds_whatever_the_size_of_the_batches(size: int) -> None:
    choice = LeastSure(0.1)
    stream = np.random.default_rng(0).random(3_000).astype(np.float32)
    taken = sum(len(choice.among(stream[at : at + size])) for at in range(0, 3_000, size))
    assert 0.08 < taken / 3_000 < 0.12


def test_the_first_ticket_is_compared_with_what_is_usual() -> None:
    usual = np.linspace(0.5, 1.0, 100).tolist()
    assert chosen(LeastSure(0.1, usual), 0.4) == [0]
    assert chosen(LeastSure(0.1, usual), 0.9) == []


def test_all_and_none() -> None:
    assert chosen(LeastSure(1.0), 0.9, 0.2) == [1, 0]
    assert chosen(LeastSure(0.0), 0.9, 0.2) == []
    assert chosen(LeastSure(0.5)) == []


def test_a_share_beyond_one_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        LeastSure(1.5)
