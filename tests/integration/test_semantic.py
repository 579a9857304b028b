"""The semantic worker on a real broker and Valkey: better topics and near-duplicates, later."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.valkey import LocalValkey
from shared import redis_keys
from shared.events import TopicCreated
from shared.provisioning import create_topics
from shared.read_model import TicketRecord, Totals
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, RECEIVED, partition_of
from tests.builders import NOON, a_correction, a_ticket
from tests.chaos.models import train
from tests.deadlines import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(420)]

PARTITIONS = 2
DEADLINE = 120.0
Start = Callable[[Path], None]


class Helpdesk:
    """What ingest would write, and what the projection shows."""

    def __init__(self, producer: AIOKafkaProducer, redis: Redis) -> None:
        self._producer = producer
        self._redis = redis

    async def ticket(self, ticket_id: str, body: str) -> None:
        event = a_ticket(ticket_id=ticket_id, event_id=f"e-{ticket_id}", subject="", body=body)
        await self._producer.send_and_wait(
            RECEIVED.name,
            event.model_dump_json().encode(),
            key=ticket_id.encode(),
            partition=partition_of(ticket_id, PARTITIONS),
        )

    async def told(self, event: TopicCreated) -> None:
        value = event.model_dump_json().encode()
        await self._producer.send_and_wait(CORRECTED.name, value, partition=0)

    async def corrected(self, topic: str, body: str) -> None:
        value = a_correction(topic=topic, body=body).model_dump_json().encode()
        await self._producer.send_and_wait(CORRECTED.name, value, partition=0)

    async def record(self, ticket_id: str) -> TicketRecord | None:
        found = await self._redis.get(redis_keys.ticket(ticket_id))
        return None if found is None else TicketRecord.model_validate_json(found)

    async def seen_again(self, ticket_id: str) -> TicketRecord:
        """The record once the semantic worker has updated it."""

        async def improved() -> TicketRecord | None:
            found = await self.record(ticket_id)
            return found if found and (found.model.name == "semantic" or found.similar) else None

        found = await eventually(improved, DEADLINE, what=f"an update of {ticket_id}")
        assert found is not None
        return found

    async def totals(self) -> Totals:
        return Totals.model_validate(await self._redis.hgetall(redis_keys.TOTALS))


@pytest.fixture
def start(broker: LocalBroker, valkey: LocalValkey, tmp_path: Path) -> Iterator[Start]:
    """Starts classifier, semantic worker and forecaster over a folder of models."""
    asyncio.run(
        create_topics(
            KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
        )
    )
    commands = {
        "classifier": ["services.classifier"],
        "semantic": ["services.classifier", "semantic"],
        "forecaster": ["services.forecaster"],
    }
    ports = dict(zip(commands, free_ports(len(commands)), strict=True))
    with ExitStack() as running:

        def begin(models: Path) -> None:
            environment = {
                "KAFKA_BOOTSTRAP_SERVERS": broker.bootstrap_servers,
                "REDIS_URL": valkey.url,
                "CLASSIFIER_MODELS": str(models),
                # Labels count as fresh however slow this machine is.
                "SEMANTIC_MOST_BEHIND_SECONDS": "600",
                **{f"{name.upper()}_PORT": str(port) for name, port in ports.items()},
            }
            for name, words in commands.items():
                process = ChildProcess(
                    name,
                    [sys.executable, "-m", *words],
                    log=tmp_path / f"{name}.log",
                    environment=environment,
                )
                running.callback(process.stop)
                process.start()

        yield begin


@pytest.fixture
async def helpdesk(broker: LocalBroker, valkey: LocalValkey) -> AsyncIterator[Helpdesk]:
    async with (
        AIOKafkaProducer(bootstrap_servers=broker.bootstrap_servers) as producer,
        Redis.from_url(valkey.url, decode_responses=True) as redis,
    ):
        yield Helpdesk(producer, redis)


async def test_what_the_fast_model_cannot_read_is_labelled_later_and_linked(
    start: Start, helpdesk: Helpdesk, tmp_path: Path
) -> None:
    start(train(tmp_path / "models"))
    english = "the screen of my laptop stays black since this morning"
    await helpdesk.ticket("T-de", "Mein Kennwort ist abgelaufen und ich kann mich nicht anmelden")
    await helpdesk.ticket("T-en", english)
    await helpdesk.ticket("T-other", "please send me the invoice of last month once more")
    found = await helpdesk.seen_again("T-de")
    assert found.topic == "Access"
    assert found.model.name == "semantic"
    assert len(found.topic_scores) == 3
    assert found.similar == ()

    await helpdesk.ticket("T-ru", "экран моего ноутбука с утра остаётся чёрным")
    linked = await helpdesk.seen_again("T-ru")
    assert [alike.ticket_id for alike in linked.similar] == ["T-en"]
    assert linked.topic == "Hardware"

    await helpdesk.ticket("T-en", english)  # the same ticket once more is not like itself
    await helpdesk.ticket("T-end", "der Bildschirm meines Laptops bleibt seit heute früh schwarz")
    last = await helpdesk.seen_again("T-end")
    assert [alike.ticket_id for alike in last.similar] in (["T-en"], ["T-ru"])
    again = await helpdesk.record("T-en")
    assert again is not None
    assert "T-en" not in [alike.ticket_id for alike in again.similar]
    totals = await helpdesk.totals()
    assert (totals.counted, totals.gaps) == (5, 0)
    assert totals.improved >= 3


async def test_without_any_model_named_topics_are_suggested_and_one_example_counts(
    start: Start, helpdesk: Helpdesk, tmp_path: Path
) -> None:
    for name, description in (("FAC", "rooms, heating, elevators"), ("FIN", "bills and payments")):
        event_id = f"topic-{name}"
        await helpdesk.told(
            TopicCreated(
                event_id=event_id, received_at=NOON, actor="kim", name=name, description=description
            )
        )
    start(tmp_path / "none")
    await helpdesk.ticket("T-de", "Die Heizung in meinem Büro ist kalt")
    await helpdesk.ticket("T-ru", "Счёт оплачен дважды")
    heating, bill = await helpdesk.seen_again("T-de"), await helpdesk.seen_again("T-ru")
    assert (heating.topic, heating.decision) == ("FAC", "suggested")
    assert (bill.topic, bill.decision) == ("FIN", "suggested")
    assert set(heating.topic_scores) == {"FAC", "FIN", "unsorted"}

    await helpdesk.corrected("canteen", "the coffee machine is out of beans")

    await helpdesk.ticket("T-tea", "Der Kaffeeautomat braucht neue Bohnen")

    async def known() -> bool:
        found = await helpdesk.record("T-tea")
        return found is not None and found.topic == "canteen"

    await eventually(known, DEADLINE, what="the first example of the canteen counts")
