"""Records, views and probes the gateway's tests are made of."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from fastapi import FastAPI

from services.forecaster.app import create_port, create_services
from services.forecaster.settings import ForecasterSettings
from services.gateway.adapters.brain import Brain
from services.gateway.adapters.feed import Feed
from services.gateway.adapters.forecasts import HttpForecasts
from services.gateway.adapters.judge import Judge
from services.gateway.adapters.load_reader import LoadReader
from services.gateway.adapters.memory_views import MemoryViews
from services.gateway.adapters.probes import ServiceState
from services.gateway.app import create_app
from services.gateway.dependencies import Ports
from services.gateway.settings import GatewaySettings
from shared.errors import Unavailable
from shared.events import ModelStamp
from shared.quality import Figures, HistoryPoint, QualityReport, Term, TextToExplain, TopicReport
from shared.queues import QueueDirectory
from shared.read_model import FeedEntry, HumanValues, TicketRecord
from shared.windows import Dimension
from tests.fakes import InMemoryStore
from tests.unit.gateway.fake_brain import FakeBrain

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
READY = ServiceState(status="ready", checks={"kafka": "ok", "model": "ok"})
STAMP = ModelStamp(name="linear", version="3", digest="9c1f2ab4", log_offset=7)


def a_record(number: int = 1, **changes: Any) -> TicketRecord:
    """Ticket T-<number>, created that many seconds after noon."""
    moment = NOON + timedelta(seconds=number)
    values: dict[str, Any] = {
        "ticket_id": f"T-{number}",
        "event_id": f"e-{number}",
        "created_at": moment,
        "updated_at": moment,
        "received_at": moment,
        "labelled_at": moment,
        "subject": "VPN drops",
        "body": "every ten minutes",
        "queue": "IT/Network",
        "topic": "vpn",
        "topic_scores": {"vpn": 0.9, "wifi": 0.1},
        "priority": "high",
        "priority_scores": {"high": 0.7, "low": 0.3},
        "model": STAMP,
    }
    return TicketRecord(**(values | changes))


def human_values(number: int = 1, **changes: Any) -> HumanValues:
    values: dict[str, Any] = {
        "ticket_id": f"T-{number}",
        "event_id": f"c-{number}",
        "corrected_at": NOON + timedelta(hours=1),
        "actor": "agent-7",
    }
    return HumanValues(**(values | changes))


def an_entry(number: int = 1, **changes: Any) -> FeedEntry:
    values: dict[str, Any] = {
        "ticket_id": f"T-{number}",
        "created_at": NOON + timedelta(seconds=number),
        "queue": "IT/Network",
        "topic": "vpn",
        "confidence": 0.9,
        "priority": "high",
    }
    return FeedEntry(**(values | changes))


class FakeProbe:
    """A service in the state given."""

    def __init__(self, state: ServiceState = READY) -> None:
        self.state = state

    async def read(self) -> ServiceState:
        return self.state


class FakeJudge:
    """Reasons and figures in this process; `away` is what it says where it does not answer."""

    def __init__(self) -> None:
        self.away: str | None = None
        self.asked: list[list[TextToExplain]] = []
        self.queries: list[dict[str, str]] = []

    async def quality(self, query: Mapping[str, str]) -> QualityReport:
        if self.away is not None:
            raise Unavailable(self.away)
        self.queries.append(dict(query))
        return a_report()

    async def explain(self, tickets: Sequence[TextToExplain]) -> list[list[Term] | None]:
        self.asked.append(list(tickets))
        if self.away is not None:
            return [None] * len(tickets)
        return [[Term(term=each.topic, weight=2.5)] for each in tickets]


def a_report(**changes: Any) -> QualityReport:
    """Of one topic, judged four times."""
    figures = Figures(tickets=4, accuracy=0.75, macro_f1=0.7, majority_accuracy=0.5)
    topic = TopicReport(
        topic="vpn",
        tickets=4,
        precision=0.75,
        recall=1.0,
        f1=0.86,
        threshold=0.9,
        evidence="own",
        measured_precision=0.99,
        precision_bound=0.96,
        coverage=0.6,
        measured_tickets=200,
    )
    values: dict[str, Any] = {
        "model": "fast",
        "version": "v1",
        "log_offset": 7,
        "judged": 4,
        "window": figures,
        "target_precision": 0.95,
        "coverage": 0.6,
        "shadow": False,
        "topics": [topic],
        "history": [HistoryPoint(at=NOON, judged=4, figures=figures)],
        "batches": [],
        "drifts": [],
    }
    return QualityReport(**(values | changes))


class TickingClock:
    """Monotonic seconds that pass faster than anything stays fresh."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        self._now += 60.0
        return self._now


def ports(
    views: MemoryViews,
    directory: QueueDirectory | None = None,
    classifier: FakeProbe | None = None,
    forecaster: FakeProbe | None = None,
    *,
    semantic: FakeProbe | None = None,
    now: datetime = NOON,
    brain: Brain | None = None,
    judge: Judge | None = None,
) -> Ports:
    return Ports(
        settings=GatewaySettings(),
        views=views,
        load=LoadReader(views, directory or QueueDirectory(), lambda: now, TickingClock()),
        feed=Feed(views, buffer=100),
        classifier=classifier or FakeProbe(),
        forecaster=forecaster or FakeProbe(),
        semantic=semantic or FakeProbe(),
        forecasts=forecasts(views, directory or QueueDirectory(), now),
        brain=brain or FakeBrain(),
        judge=judge or FakeJudge(),
    )


def forecasts(views: MemoryViews, directory: QueueDirectory, now: datetime) -> HttpForecasts:
    """The forecaster's own port in this process, over the very data that the views show."""
    store = InMemoryStore(views.sets, views.stored)
    services = create_services(ForecasterSettings(), store, directory, lambda: now)
    transport = httpx.ASGITransport(create_port(services, {}), raise_app_exceptions=False)
    return HttpForecasts("http://forecaster", httpx.AsyncClient(transport=transport))


def app(views: MemoryViews, **parts: Any) -> FastAPI:
    return create_app(ports(views, **parts))


@asynccontextmanager
async def client(views: MemoryViews, **parts: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the running application; errors of the server are answers, not exceptions."""
    application = app(views, **parts)
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    async with (
        application.router.lifespan_context(application),
        httpx.AsyncClient(transport=transport, base_url="http://gateway") as http,
    ):
        yield http


def small_helpdesk() -> MemoryViews:
    """Three queues, two topics, two days of load, four tickets; T-4 has a human's values."""
    views = MemoryViews()
    places = ["IT/Network", "IT/Network/VPN", "HR", "HR"]
    topics = ["vpn", "vpn", "pay", "pay"]
    for number, (queue, topic) in enumerate(zip(places, topics, strict=True), 1):
        human = human_values(4, topic="leave") if number == 4 else None
        views.put_ticket(a_record(number, queue=queue, topic=topic), human)
        for moment, tickets in ((NOON, number), (NOON - timedelta(days=1), 1)):
            views.count(Dimension.QUEUE, queue, moment, tickets)
            views.count(Dimension.TOPIC, topic, moment, tickets)
            views.count(Dimension.PRIORITY, "high", moment, tickets)
    return views
