"""Bad input is parked; a flood of it means that the fault is ours, and stops the service."""

import pytest

from services.classifier.domain.parking import ParkingLimit, ParkingLimitExceeded


def test_a_few_bad_records_pass() -> None:
    limit = ParkingLimit(share=0.5)
    for _ in range(100):
        limit.admit(records=100, parked=10)


def test_a_flood_is_refused_before_it_is_parked() -> None:
    limit = ParkingLimit(share=0.5, least=100)
    with pytest.raises(ParkingLimitExceeded, match="500 of the last 500"):
        limit.admit(records=500, parked=500)


def test_the_first_few_records_after_a_restart_may_all_be_bad() -> None:
    ParkingLimit(share=0.5, least=100).admit(records=99, parked=99)


def test_the_window_forgets_what_is_long_past() -> None:
    limit = ParkingLimit(share=0.5, window=1_000, least=100)
    limit.admit(records=5_000, parked=0)
    limit.admit(records=1_000, parked=400)
    # Neither the 5,000 good ones nor the 400 bad ones count any more.
    with pytest.raises(ParkingLimitExceeded, match="700 of the last 1000"):
        limit.admit(records=1_000, parked=700)
