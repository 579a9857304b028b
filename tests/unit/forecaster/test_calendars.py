"""Which clock and which events a queue lives by."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from services.forecaster.app import create_services
from services.forecaster.calendars import Calendars, Place, concerning
from services.forecaster.domain.forecasting.events import PlannedEvent
from services.forecaster.settings import ForecasterSettings
from shared.clock import utc_now
from shared.errors import Misconfigured
from shared.queues import QueueDirectory
from tests.fakes import InMemoryStore

DAY = date(2026, 1, 1)


def test_the_nearest_place_above_holds() -> None:
    calendars = Calendars(
        Place(timezone="UTC"),
        {
            "IT": Place(timezone="Europe/Berlin", country="DE"),
            "IT/US": Place(timezone="US/Eastern"),
        },
    )
    zones = [calendars.of(path).timezone for path in ("", "HR", "IT", "IT/VPN", "IT/US/NY", "ITX")]
    assert zones == ["UTC", "UTC", "Europe/Berlin", "Europe/Berlin", "US/Eastern", "UTC"]
    assert calendars.of("IT/VPN").country == "DE"


def test_events_of_a_queue_are_those_above_it() -> None:
    events = [
        PlannedEvent(str(queue), "release", DAY, DAY, queue=queue)
        for queue in (None, "IT", "IT/VPN", "HR")
    ]
    found = [event.queue for event in concerning(events, "IT/VPN")]
    assert found == [None, "IT", "IT/VPN"]
    assert [event.queue for event in concerning(events, "")] == [None]


@pytest.mark.parametrize("wrong", [{"timezone": "Mars/Base"}, {"country": "Atlantis"}])
def test_a_place_nobody_knows(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"unknown time zone|no holidays"):
        Place(**wrong)
    with pytest.raises(Misconfigured, match="FORECASTER_TIMEZONE"):
        create_services(ForecasterSettings(**wrong), InMemoryStore(), QueueDirectory(), utc_now)
