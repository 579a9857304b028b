"""The ten most telling rows of the fault suite; `make chaos` runs all of them."""

import random
from collections.abc import Iterator

import pytest

from tests.chaos.catalogue import ROWS
from tests.chaos.row import Row
from tests.chaos.suite import Suite

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

QUICK = [row for row in ROWS if row.quick]


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """One suite for all rows: they share a running system as long as it is whole."""
    with Suite(tmp_path_factory.mktemp("chaos")) as running:
        yield running


@pytest.mark.parametrize("row", QUICK, ids=lambda row: row.name)
def test_nothing_is_lost_or_counted_twice(row: Row, suite: Suite) -> None:
    outcome = suite.run(row, random.randrange(100_000))
    assert outcome.status == "passed", outcome


def test_the_quick_rows_are_the_ten_that_were_agreed_on() -> None:
    assert len(QUICK) == 10
    assert len({row.name for row in ROWS}) == len(ROWS)
