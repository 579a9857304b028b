"""A topic that nobody named: tickets, a proposal, a name, and the next ticket gets it."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaConsumer

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from services.gateway.adapters.brain import HttpBrain
from services.gateway.adapters.memory_views import MemoryViews
from shared.events import LABEL_RECORD, TicketLabelled
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import LABELLED
from tests.chaos.models import TOPICS, train
from tests.deadlines import eventually
from tests.unit.gateway.builders import client

pytestmark = [pytest.mark.integration, pytest.mark.timeout(900)]

PARTITIONS = 2
DEADLINE = 180.0
COMPLAINTS = (
    "the coffee machine in the kitchen leaks",
    "no coffee comes out of the machine on floor {n}",
    "our coffee machine is out of beans again",
    "please refill the coffee machine near room {n}",
    "coffee machine shows that the water tank is empty",
    "the coffee from the machine is cold since monday",
)
COMMANDS = {
    "ingest": ["services.ingest"],
    "classifier": ["services.classifier"],
    "semantic": ["services.classifier", "semantic"],
}


class Platform:
    """Ingest, classifier and semantic worker as processes; a gateway in this one."""

    def __init__(self, broker: LocalBroker, models: Path, folder: Path) -> None:
        ports = dict(zip(COMMANDS, free_ports(len(COMMANDS)), strict=True))
        self.urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
        environment = {
            "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
            "KAFKA_PARTITIONS": str(PARTITIONS),
            "CLASSIFIER_MODELS": str(models),
            "INGEST_PSEUDONYM_KEY": "k" * 32,
            # All tickets are looked at, however slow this machine is.
            "SEMANTIC_MOST_BEHIND_SECONDS": "600",
            "SEMANTIC_SHARE": "1",
            "SEMANTIC_CPU_SHARE": "1",
            "RADAR_SAVE_SECONDS": "1",
            **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
        }
        self.processes = {
            name: ChildProcess(
                name,
                [sys.executable, "-m", *words],
                log=folder / f"{name}.log",
                environment=environment,
            )
            for name, words in COMMANDS.items()
        }

    async def ready(self, http: httpx.AsyncClient, name: str) -> bool:
        try:
            return (await http.get(f"{self.urls[name]}/ready", timeout=10)).status_code == 200
        except httpx.HTTPError:
            return False

    async def post(self, http: httpx.AsyncClient, tickets: list[dict[str, str]]) -> None:
        async def accepted() -> bool:
            # A broker on a busy machine may take longer than ingest waits for it.
            answer = await http.post(f"{self.urls['ingest']}/v1/events", json=tickets, timeout=30)
            return answer.status_code == 202

        await eventually(accepted, DEADLINE, what="ingest accepts")


@pytest.fixture
def platform(broker: LocalBroker, tmp_path: Path) -> Iterator[Platform]:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
    asyncio.run(create_topics(settings))
    made = Platform(broker, train(tmp_path / "models"), tmp_path)
    with ExitStack() as running:
        for process in made.processes.values():
            running.callback(process.stop)
            process.start()
        yield made


@pytest.fixture
async def labels(broker: LocalBroker) -> AsyncIterator[Callable[[str], Awaitable[TicketLabelled]]]:
    """The first label of a ticket, as it stands in the log."""
    async with AIOKafkaConsumer(
        LABELLED.name, bootstrap_servers=broker.bootstrap_servers, auto_offset_reset="earliest"
    ) as consumer:
        found: dict[str, TicketLabelled] = {}

        async def of(ticket_id: str) -> TicketLabelled:
            async def there() -> TicketLabelled | None:
                for records in (await consumer.getmany(timeout_ms=200)).values():
                    for record in records:
                        event = LABEL_RECORD.validate_json(record.value or b"")
                        if isinstance(event, TicketLabelled):
                            found.setdefault(event.ticket_id, event)
                return found.get(ticket_id)

            label = await eventually(there, DEADLINE, what=f"a label of {ticket_id}")
            assert label is not None
            return label

        yield of


def about_coffee(first: int, count: int) -> list[dict[str, str]]:
    """Tickets of seven people about one thing that the model was never shown."""
    return [
        {
            "ticket_id": f"C-{n}",
            "created_at": "2026-03-02T08:00:00Z",
            "body": COMPLAINTS[n % len(COMPLAINTS)].format(n=n),
            "requester": f"person{n % 7}@example.org",
        }
        for n in range(first, first + count)
    ]


def usual(count: int) -> list[dict[str, str]]:
    """Tickets of the topics that the model was trained on."""
    words = [(topic, word) for topic, found in TOPICS.items() for word in found]
    return [
        {
            "ticket_id": f"U-{n}",
            "created_at": "2026-03-02T08:00:00Z",
            "body": f"{words[n % len(words)][1]} {words[(n + 1) % len(words)][1]} is broken, low",
            "requester": f"person{n % 5}@example.org",
        }
        for n in range(count)
    ]


async def test_a_topic_emerges_is_named_and_known(
    platform: Platform, labels: Callable[[str], Awaitable[TicketLabelled]]
) -> None:
    async with httpx.AsyncClient() as http:
        urls = platform.urls
        brain = HttpBrain(urls["classifier"], urls["semantic"], urls["ingest"], http)
        for name in urls:
            await eventually(lambda n=name: platform.ready(http, n), DEADLINE, what=f"{name} is up")  # type: ignore[misc]
        await platform.post(http, usual(40))
        await platform.post(http, about_coffee(0, 30))
        assert (await labels("C-29")).topic in TOPICS

        async with client(MemoryViews(), brain=brain) as gateway:

            async def listed() -> dict[str, Any]:
                answer = await gateway.get("/api/v1/topics")
                assert answer.status_code == 200, answer.text
                body: dict[str, Any] = answer.json()
                return body

            async def emerging() -> list[dict[str, Any]]:
                found = (await listed())["emerging"] or []
                return [each for each in found if each["tickets"] >= 8]

            found = (await eventually(emerging, DEADLINE, what="a topic emerges"))[0]
            assert found["requesters"] >= 3
            assert "coffee" in " ".join(found["terms"])
            assert {each["ticket_id"][0] for each in found["examples"]} == {"C"}

            path = f"/api/v1/topics/proposals/{found['id']}"
            named = {"name": "Coffee", "actor": "lead-2", "description": "coffee machines"}
            for _ in range(2):
                answer = await gateway.post(f"{path}/accept", json=named)
                assert answer.status_code == 202, answer.text

            async def known() -> bool:
                body = await listed()
                there = {topic["name"] for topic in body["topics"]}
                ids = {each["id"] for each in body["emerging"] or []}
                return "Coffee" in there and found["id"] not in ids

            await eventually(known, DEADLINE, what="the topic is known and emerges no more")
            await platform.post(http, about_coffee(100, 1))
            assert (await labels("C-100")).topic == "Coffee"

            platform.processes["semantic"].stop()
            body = await listed()
            assert body["emerging"] is None
            assert body["emerging_unavailable"]
            platform.processes["semantic"].start()

            async def remembered() -> bool:
                again = await gateway.post(f"{path}/dismiss", json={"actor": "lead-2"})
                return again.status_code == 202

            await eventually(remembered, DEADLINE, what="the proposal outlived its process")
