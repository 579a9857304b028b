"""The verdict: any place that disagrees, any gap and any parked record is a fault, by name."""

from dataclasses import replace

import pytest

from deploy.local.verdict import Census, Outcome

GOOD = Outcome(
    accepted=1000,
    census=Census(received=1000, labelled=1000, skipped=0, parked=0),
    counted=1000,
    load=1000,
    duplicates=0,
    gaps=0,
    parked=0,
)


def test_all_agree() -> None:
    assert GOOD.faults() == []


@pytest.mark.parametrize(
    ("outcome", "fault"),
    [
        (replace(GOOD, census=replace(GOOD.census, received=999)), "records received: 999"),
        (replace(GOOD, census=replace(GOOD.census, labelled=1001)), "tickets labelled: 1,001"),
        (replace(GOOD, counted=999), "tickets counted: 999"),
        (replace(GOOD, load=1003), "load windows: 1,003"),
        (replace(GOOD, gaps=1), "gaps: 1"),
        (replace(GOOD, duplicates=2), "duplicates: 2"),
        (replace(GOOD, parked=3), "parked records: 3"),
        (replace(GOOD, census=replace(GOOD.census, parked=4)), "parked records: 4"),
        (replace(GOOD, census=replace(GOOD.census, skipped=5)), "skipped records: 5"),
    ],
)
def test_each_promise_is_checked(outcome: Outcome, fault: str) -> None:
    [found] = outcome.faults()
    assert found.endswith(fault)


def test_a_run_without_tickets_proves_nothing() -> None:
    nothing = Outcome(0, Census(0, 0, 0, 0), 0, 0, 0, 0, 0)
    assert nothing.faults() == ["no ticket was accepted"]
