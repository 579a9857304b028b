"""Incidents as records of alerts.raised.v1, and back."""

from collections.abc import Iterable
from datetime import datetime

from services.forecaster.domain.forecasting.series import hour_number, hour_of
from services.forecaster.domain.surges.incidents import Incident, Phase, Series
from shared.events import AlertRaised
from shared.windows import Dimension


def told(phase: Phase, incident: Incident, now: datetime) -> AlertRaised:
    """What there is to say of an incident at this moment."""
    over = phase is Phase.CLOSED
    return AlertRaised(
        alert_id=incident.key,
        state=phase.value,
        surging=incident.series.dimension.value,
        queue=incident.queue,
        topic=incident.topic,
        started_at=hour_of(incident.first_step),
        ended_at=hour_of(incident.last_step + 1) if over else None,
        raised_at=incident.raised_at,
        closed_at=now if over else None,
        tickets=incident.tickets,
        expected=round(incident.expected, 2),
        requesters=incident.requesters,
        peak=round(incident.peak, 2),
        examples=incident.examples,
    )


def remembered(alerts: Iterable[AlertRaised]) -> tuple[list[Incident], list[Incident]]:
    """Open incidents and those that are over, of what was told."""
    incidents = [(alert.state, _incident(alert)) for alert in alerts]
    still = [incident for state, incident in incidents if state == "open"]
    return still, [incident for state, incident in incidents if state == "closed"]


def _incident(alert: AlertRaised) -> Incident:
    dimension, name = alert.series
    first = hour_number(alert.started_at)
    return Incident(
        series=Series(Dimension(dimension), name),
        first_step=first,
        # Of an open one only the first hour is known; the windows tell the rest again.
        last_step=first if alert.ended_at is None else hour_number(alert.ended_at) - 1,
        tickets=alert.tickets,
        expected=alert.expected,
        requesters=alert.requesters,
        peak=alert.peak,
        examples=alert.examples,
        queue=alert.queue,
        topic=alert.topic,
        raised_at=alert.raised_at,
    )
