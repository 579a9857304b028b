"""The watch for surges over a store: what it tells, once, whatever restarts or is rebuilt."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from services.forecaster.adapters.surge_windows import SurgeWindows
from services.forecaster.calendars import Calendars, Place
from services.forecaster.domain.projection.alerts import project_alerts
from services.forecaster.domain.surges.incidents import SurgeRule
from services.forecaster.surges import Judged, SurgeAlerts
from shared import redis_keys as keys
from shared.errors import Unavailable
from shared.events import AlertRaised, ModelStamp
from shared.read_model import TicketRecord
from shared.topics import ALERTS
from shared.windows import Dimension, Grain, cells
from tests.fakes import InMemoryOutbox, InMemoryStore

# A Monday; seven weeks of the year are over.
NOON = datetime(2026, 2, 23, 12, tzinfo=UTC)
MADE = ModelStamp(name="m", version="1", digest="d")


@dataclass
class Helpdesk:
    """Two queues with a topic each, five tickets an hour; the store, the clock and the outbox."""

    now: datetime = NOON + timedelta(minutes=20)
    store: InMemoryStore = field(default_factory=InMemoryStore)
    outbox: InMemoryOutbox = field(default_factory=InMemoryOutbox)
    reason: str | None = None
    tickets: int = 0

    def __post_init__(self) -> None:
        hours = int((NOON - datetime(2026, 1, 1, tzinfo=UTC)) / timedelta(hours=1))
        for seed, (queue, topic) in enumerate((("IT", "vpn"), ("HR", "pay"))):
            counts = np.random.default_rng(seed).poisson(5.0, 365 * 24)
            counts[hours:] = 0
            for dimension, name in ((Dimension.QUEUE, queue), (Dimension.TOPIC, topic)):
                self.store.sets.setdefault(keys.series(dimension), set()).add(name)
                key = keys.load(Grain.HOUR, "2026", dimension, name)
                self.store.stored[key] = counts.astype(">u4").tobytes()

    def arrive(self, number: int, *, at: datetime = NOON, requester: str | None = None) -> None:
        """Tickets about the VPN in one hour, from as many people unless one wrote them all."""
        period, cell = cells(Grain.HOUR, at)
        for dimension, name in ((Dimension.QUEUE, "IT"), (Dimension.TOPIC, "vpn")):
            key = keys.load(Grain.HOUR, period, dimension, name)
            counts = np.frombuffer(self.store.stored[key], ">u4").copy()
            counts[cell] += number
            self.store.stored[key] = counts.tobytes()
            scores = self.store.scores.setdefault(keys.index(dimension, name), {})
            for each in range(self.tickets, self.tickets + number):
                scores[f"T-{each}"] = int(at.timestamp() * 1000)
        for each in range(self.tickets, self.tickets + number):
            record = TicketRecord(
                ticket_id=f"T-{each}",
                event_id=f"e-{each}",
                created_at=at,
                updated_at=at,
                received_at=at,
                labelled_at=at,
                requester=requester or f"person {each}",
                queue="IT",
                topic="vpn",
                topic_scores={},
                model=MADE,
            )
            self.store.stored[keys.ticket(record.ticket_id)] = record.model_dump_json().encode()
        self.tickets += number

    def watch(self, rule: SurgeRule | None = None) -> SurgeAlerts:
        async def not_ready() -> str | None:
            return self.reason

        async def off_loop(work: Callable[[], Judged]) -> Judged:
            return work()

        return SurgeAlerts(
            SurgeWindows(self.store),
            self.outbox,
            Calendars(Place(), {}),
            lambda: self.now,
            not_ready=not_ready,
            off_loop=off_loop,
            rule=rule,
        )

    @property
    def told(self) -> list[AlertRaised]:
        entries = self.outbox.sent.get((ALERTS.name, 0), [])
        return [AlertRaised.model_validate_json(value) for _, value in entries]

    def project(self) -> None:
        """What the projection of alerts does to the store."""
        for command in project_alerts(self.told, {}, self.now).commands:
            if command[0] == "HSET":
                latest = self.store.hashes.setdefault(str(command[1]), {})
                latest[str(command[2])] = str(command[3]).encode()


@pytest.fixture
def helpdesk() -> Helpdesk:
    return Helpdesk()


async def looks(watch: SurgeAlerts, times: int = 2) -> None:
    for _ in range(times):
        await watch.look()


async def test_an_outage_is_told_within_its_hour_once_with_topic_queue_and_examples(
    helpdesk: Helpdesk,
) -> None:
    watch = helpdesk.watch()
    await looks(watch)
    assert helpdesk.told == []
    helpdesk.arrive(25)
    await looks(watch, 3)
    [alert] = helpdesk.told
    assert (alert.state, alert.topic, alert.queue, alert.surging) == ("open", "vpn", "IT", "topic")
    assert (alert.started_at, alert.ended_at) == (NOON, None)
    assert (alert.tickets, alert.requesters) == (25, 25)
    assert set(alert.examples) <= {f"T-{n}" for n in range(25)}
    assert len(alert.examples) == 5


async def test_it_is_closed_once_when_hours_are_quiet_again(helpdesk: Helpdesk) -> None:
    watch = helpdesk.watch()
    helpdesk.arrive(25)
    await looks(watch)
    helpdesk.arrive(40, at=NOON + timedelta(hours=1))
    for hour in range(1, 7):
        helpdesk.now = NOON + timedelta(hours=hour, minutes=20)
        await looks(watch)
    opened, closed = helpdesk.told
    assert closed.alert_id == opened.alert_id
    assert (opened.state, closed.state) == ("open", "closed")
    assert closed.ended_at == NOON + timedelta(hours=2)
    assert (closed.tickets, closed.raised_at) == (65, opened.raised_at)
    assert closed.closed_at == NOON + timedelta(hours=4, minutes=20)


async def test_a_restart_tells_nothing_again_and_closes_what_was_open(helpdesk: Helpdesk) -> None:
    helpdesk.arrive(25)
    await looks(helpdesk.watch())
    helpdesk.project()
    await looks(helpdesk.watch(), 3)
    assert [alert.state for alert in helpdesk.told] == ["open"]
    helpdesk.now += timedelta(hours=6)
    heir = helpdesk.watch()
    await looks(heir, 3)
    opened, closed = helpdesk.told
    assert (closed.alert_id, closed.state) == (opened.alert_id, "closed")
    helpdesk.project()
    await looks(helpdesk.watch(), 3)
    assert len(helpdesk.told) == 2


async def test_an_alert_lost_before_it_was_sent_is_the_same_when_found_again(
    helpdesk: Helpdesk,
) -> None:
    helpdesk.arrive(25)
    await looks(helpdesk.watch())
    await looks(helpdesk.watch())
    first, second = helpdesk.told
    assert first == second
    assert project_alerts([first, second], {}, NOON).repeated == 1


async def test_hours_long_over_raise_nothing_and_hours_just_over_do(helpdesk: Helpdesk) -> None:
    helpdesk.arrive(25, at=NOON - timedelta(hours=30))
    helpdesk.arrive(25, at=NOON - timedelta(hours=2))
    await looks(helpdesk.watch())
    assert [alert.started_at for alert in helpdesk.told] == [NOON - timedelta(hours=2)]


async def test_nothing_is_judged_while_the_read_side_is_rebuilt(helpdesk: Helpdesk) -> None:
    watch = helpdesk.watch()
    await looks(watch)
    helpdesk.reason = "rebuilding"
    helpdesk.arrive(25)
    await looks(watch, 3)
    assert helpdesk.told == []
    helpdesk.reason = None
    await watch.look()
    assert helpdesk.told == [], "a log nearly read may be one nearly read from its beginning"
    await watch.look()
    assert len(helpdesk.told) == 1


async def test_one_loud_requester_alarms_nobody(helpdesk: Helpdesk) -> None:
    helpdesk.arrive(60, requester="bob")
    await looks(helpdesk.watch(), 3)
    assert helpdesk.told == []


async def test_the_guard_is_a_setting(helpdesk: Helpdesk) -> None:
    helpdesk.arrive(60, requester="bob")
    await looks(helpdesk.watch(SurgeRule(min_requesters=1)))
    assert [alert.topic for alert in helpdesk.told] == ["vpn"]


async def test_a_queue_that_has_just_begun_is_no_surge(helpdesk: Helpdesk) -> None:
    watch = helpdesk.watch()
    await looks(watch)
    helpdesk.store.sets[keys.series(Dimension.QUEUE)].add("Sales")
    key = keys.load(Grain.HOUR, "2026", Dimension.QUEUE, "Sales")
    counts = np.zeros(365 * 24, ">u4")
    counts[cells(Grain.HOUR, NOON)[1]] = 50
    helpdesk.store.stored[key] = counts.tobytes()
    await looks(watch)
    helpdesk.now += timedelta(hours=2)
    await looks(watch)
    assert helpdesk.told == []


async def test_hours_that_could_not_be_judged_are_judged_when_redis_is_back(
    helpdesk: Helpdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = helpdesk.watch()
    await looks(watch)
    helpdesk.arrive(25)
    helpdesk.now += timedelta(hours=1)

    async def away(*_: object) -> list[str]:
        raise Unavailable("Redis does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(helpdesk.store, "scored", away)
        with pytest.raises(Unavailable):
            await watch.look()
        watch.forget()
    await looks(watch)
    assert [alert.started_at for alert in helpdesk.told] == [NOON]
