"""Humans judge labels, on a real broker and Valkey: decisions, quality, and words taken back."""

import asyncio
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer
from redis import Redis

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.valkey import LocalValkey
from shared.events import CorrectionLogEvent, Event, RefitDue, Ticket
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED, RECEIVED, Topic, partition_of
from tests.builders import NOON, a_correction, a_ticket, an_undo, an_update
from tests.chaos.models import train
from tests.deadlines import wait_until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

PARTITIONS = 2
START_SECONDS = 90
SERVICES = ("classifier", "forecaster", "gateway")
PLAIN = "vpn router wifi is broken, high"
VAGUE = "hello there"


@dataclass
class Desk:
    """The services a label passes through, and the log's own writer."""

    bootstrap: str
    services: dict[str, ChildProcess]
    urls: dict[str, str]
    redis: Any

    def write(self, topic: Topic, *events: Event, partition: int = 0) -> None:
        """Append events to a topic, as its writer does."""

        async def send() -> None:
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
                for event in events:
                    value = event.model_dump_json().encode()
                    await producer.send_and_wait(topic.name, value, partition=partition)

        asyncio.run(send())

    def receive(self, ticket: Ticket) -> None:
        partition = partition_of(ticket.ticket_id, PARTITIONS)
        self.write(RECEIVED, ticket, partition=partition)

    def say(self, *events: CorrectionLogEvent) -> None:
        self.write(CORRECTED, *events)

    def ask(self, service: str, path: str, **body: Any) -> Any:
        if body:
            answer = httpx.post(f"{self.urls[service]}{path}", json=body, timeout=20)
        else:
            answer = httpx.get(f"{self.urls[service]}{path}", timeout=20)
        return answer.json() if answer.status_code == 200 else None

    def ticket(self, ticket_id: str) -> Any:
        path = f"/api/v1/tickets/{ticket_id}"
        return wait_until(lambda: self.ask("gateway", path), 60, what=f"{ticket_id} is readable")

    def shown(self, ticket_id: str, **values: Any) -> None:
        def so() -> bool:
            found = self.ticket(ticket_id)
            return all(found[name] == value for name, value in values.items())

        wait_until(so, 60, what=f"{ticket_id} shows {values}")

    def quality(self, offset: int) -> Any:
        """As the gateway tells it, once the classifier is settled at this offset of the log."""

        def there() -> bool:
            model = self.ask("classifier", "/model")
            return bool(model and model["settled"] and model["log_offset"] == offset)

        wait_until(there, 90, what=f"the log is folded up to {offset}")
        return self.ask("gateway", "/api/v1/quality")

    def start(self, name: str) -> None:
        self.services[name].start()
        wait_until(lambda: self._lives(name), START_SECONDS, what=f"{name} answers")

    def _lives(self, name: str) -> bool:
        try:
            return httpx.get(f"{self.urls[name]}/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return train(tmp_path_factory.mktemp("judged") / "models", rows=1_500)


@pytest.fixture
def desk(broker: LocalBroker, valkey: LocalValkey, models: Path, tmp_path: Path) -> Iterator[Desk]:
    bootstrap = broker.bootstrap_servers
    settings = KafkaSettings(bootstrap_servers=bootstrap, partitions=PARTITIONS)
    asyncio.run(create_topics(settings))
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    given = {
        "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
        "KAFKA_PARTITIONS": str(PARTITIONS),
        "REDIS_URL": valkey.url,
        "CLASSIFIER_MODELS": str(models),
        "CLASSIFIER_SNAPSHOTS": str(tmp_path / "snapshots"),
        "GATEWAY_CLASSIFIER_URL": urls["classifier"],
        "GATEWAY_FORECASTER_URL": urls["forecaster"],
    } | {f"{name.upper()}_PORT": str(port) for name, port in ports.items()}
    services = {
        name: ChildProcess(
            name,
            [sys.executable, "-m", f"services.{name}"],
            log=tmp_path / f"{name}.log",
            environment=given,
        )
        for name in SERVICES
    }
    with Redis.from_url(valkey.url) as client:
        running = Desk(bootstrap, services, urls, client)
        try:
            for name in SERVICES:
                running.start(name)
            yield running
        finally:
            for service in services.values():
                service.kill()


def contradiction(number: int) -> CorrectionLogEvent:
    """Of a ticket that the model is sure is about the network."""
    return a_correction(
        event_id=f"c-{number}",
        ticket_id=f"X-{number}",
        topic="Billing",
        body=f"vpn router wifi dns vpn {number}",
        received_at=NOON + timedelta(minutes=number),
    )


def test_decisions_follow_what_humans_say_and_survive_a_restart(desk: Desk) -> None:
    for name, body in (("T-plain", PLAIN), ("T-vague", VAGUE)):
        desk.receive(a_ticket(ticket_id=name, event_id=f"e-{name}", subject="", body=body))
    plain, vague = desk.ticket("T-plain"), desk.ticket("T-vague")
    assert (plain["topic"], plain["decision"], vague["decision"]) == (
        "Network",
        "applied",
        "suggested",
    )
    assert {"vpn", "wifi", "router"} & {reason["term"] for reason in plain["why"]}
    before = desk.quality(0)
    thresholds = {topic["topic"]: topic["threshold"] for topic in before["topics"]}
    assert 0 < thresholds["Network"] <= 1
    assert desk.ask("classifier", "/classify", body=PLAIN)["decision"] == "applied"

    desk.say(*map(contradiction, range(60)), RefitDue(event_id="r-1", received_at=NOON))
    after = desk.quality(61)
    assert after["judged"] == after["window"]["tickets"] == 60
    assert after["batches"][0]["log_offset"] == 61
    assert after["window"]["majority_accuracy"] == 1.0
    [network] = [topic for topic in after["topics"] if topic["topic"] == "Network"]
    assert network["threshold"] is None or network["threshold"] > thresholds["Network"]

    desk.services["classifier"].kill()
    desk.start("classifier")
    assert desk.quality(61) == after


def test_a_human_value_outlives_every_later_label_and_goes_only_when_taken_back(
    desk: Desk,
) -> None:
    desk.receive(a_ticket(ticket_id="T-1", event_id="e-1", subject="", body=VAGUE))
    predicted = desk.ticket("T-1")["topic"]
    review = desk.ask("gateway", "/api/v1/review")
    assert [ticket["ticket_id"] for ticket in review["tickets"]] == ["T-1"]

    first = a_correction(event_id="c-1", ticket_id="T-1", actor="kim", topic="Beamers")
    second = a_correction(
        event_id="c-2", ticket_id="T-1", actor="eve", topic="Coffee", priority="low",
        corrected_at=NOON + timedelta(hours=1),
    )  # fmt: skip
    desk.say(first, second)
    desk.shown("T-1", topic="Coffee", priority="low")

    later = NOON + timedelta(hours=2)
    desk.receive(
        a_ticket(ticket_id="T-1", event_id="e-2", subject="", body=PLAIN, created_at=later)
    )
    wait_until(lambda: desk.ticket("T-1")["event_id"] == "e-2", what="the later label is shown")
    update = an_update(ticket_id="T-1", event_id="e-2", topic="Access", topic_scores={"Access": 1})
    desk.write(LABELLED, update, partition=partition_of("T-1", PARTITIONS))
    wait_until(lambda: desk.ticket("T-1")["predicted"]["topic"] == "Access", what="improved")
    desk.shown("T-1", topic="Coffee", priority="low")

    desk.say(an_undo(corrector="eve"))
    desk.shown(
        "T-1", topic="Beamers", sources={"topic": "human", "priority": "model", "queue": "model"}
    )
    desk.say(an_undo(event_id="u-2", correction="c-1"))
    desk.shown("T-1", topic="Access", human=None)

    desk.say(second)  # repeated after it was taken back: it stays taken back
    desk.say(a_correction(event_id="c-3", ticket_id="T-1", topic="Printers"))
    desk.shown("T-1", topic="Printers")
    kept = desk.redis.get("human:T-1")
    desk.redis.flushall()
    wait_until(lambda: desk.redis.get("human:T-1") == kept, 60, what="the same is rebuilt")
    desk.shown("T-1", topic="Printers")
    assert predicted != "Printers"
