"""Alerts told, projected for the gateway and for whoever watches next. Pure, like all of it."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.forecaster.domain.projection.commands import Command
from shared import redis_keys as keys
from shared.events import AlertRaised

# As long as the topic keeps them.
LIFE = timedelta(days=365)


@dataclass
class Alerts:
    """What one batch of alerts does. told: alerts by state, without repetitions."""

    told: Counter[str] = field(default_factory=Counter)
    repeated: int = 0
    commands: list[Command] = field(default_factory=list)


def project_alerts(
    events: Iterable[AlertRaised], known: Mapping[str, AlertRaised], now: datetime
) -> Alerts:
    """Keep the first word on each state of an alert; a closed one is not opened again.

    Two forecasters may both have thought that the watch was theirs, and say the same twice.
    """
    result = Alerts()
    latest = dict(known)
    for event in events:
        before = latest.get(event.alert_id)
        if before is not None and (before.state == "closed" or event.state == "open"):
            result.repeated += 1
            continue
        latest[event.alert_id] = event
        result.told[event.state] += 1
        text = event.model_dump_json()
        started = int(event.started_at.timestamp() * 1000)
        result.commands += [
            ("SET", keys.alert(event.alert_id), text, "EX", int(LIFE.total_seconds())),
            ("ZADD", keys.ALERTS, started, event.alert_id),
            ("HSET", keys.ALERTS_LATEST, ":".join(event.series), text),
        ]
    if result.commands:
        oldest = int((now - LIFE).timestamp() * 1000)
        result.commands.append(("ZREMRANGEBYSCORE", keys.ALERTS, "-inf", oldest))
    return result
