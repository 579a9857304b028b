"""The batch loop against a bare loop, a C client and stock Faust, all doing the same job."""

import asyncio
import uuid
from collections.abc import Callable
from functools import partial

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.pairs import alternate, run_module
from bench.row import Row, row
from bench.stores import Stores
from tests.builders import a_ticket

# Engine and number of records in, records per CPU-second out.
Speed = Callable[[str, int], float]
PARTITIONS = 16
PRELOAD = {"small": 400_000, "ticket": 160_000}
STOCK_RECORDS = 15_000


def small_record(number: int) -> bytes:
    """162 bytes, as the prototypes used."""
    return b'{"ticket_id":"T%08d","queue":"q%d","body":"%s"}' % (number, number % 7, b"x" * 112)


def ticket_record(number: int) -> bytes:
    """A ticket as ingest writes it, about 400 bytes."""
    ticket = a_ticket(event_id=f"e-{number}", ticket_id=f"T-{number:08d}", body="x" * 120)
    return ticket.model_dump_json().encode()


async def preload(bootstrap: str, topic: str, job: str, count: int) -> None:
    """Create `topic` and its target, fill it round robin."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(t, PARTITIONS, 1) for t in (topic, f"{topic}.out")])
    await admin.close()
    make = small_record if job == "small" else ticket_record
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, max_batch_size=1_000_000)
    await producer.start()
    for partition in range(PARTITIONS):
        batch = producer.create_batch()
        for number in range(partition, count, PARTITIONS):
            value = make(number)
            if batch.append(key=b"k", value=value, timestamp=None) is None:
                await (await producer.send_batch(batch, topic, partition=partition))
                batch = producer.create_batch()
                batch.append(key=b"k", value=value, timestamp=None)
        await (await producer.send_batch(batch, topic, partition=partition))
    await producer.stop()


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """Records per CPU-second of the client process; broker and disk are the same for all."""
    found: list[Row] = []
    for job, preloaded in PRELOAD.items():
        count = preloaded // (4 if quick else 1)
        topic = f"bench.{job}.{uuid.uuid4().hex[:8]}"
        asyncio.run(preload(stores.bootstrap, topic, job, count))

        def speed(engine: str, records: int, job: str = job, topic: str = topic) -> float:
            arguments = [job, stores.bootstrap, topic, f"{topic}.out", str(records)]
            figures = run_module(f"bench.engines.{engine}", arguments)
            return figures["records"] / figures["cpu_seconds"]

        found += _compare(job, count, speed, pairs=1 if quick else 5)
    return found


def _compare(job: str, count: int, speed: Speed, pairs: int) -> list[Row]:
    name = f"stage, {job} records"
    found = []
    for engine, baseline, target in (
        ("bare", "bare aiokafka loop", 0.9),
        ("confluent", "confluent-kafka loop", 1.0),
    ):
        pair = alternate(partial(speed, "stage", count), partial(speed, engine, count), pairs)
        found.append(
            row(
                f"{name} vs {baseline}",
                pair.value,
                "records/CPU-s",
                baseline=baseline,
                baseline_value=pair.baseline,
                ratio=pair.ratio,
                ratio_at_least=target,
            )
        )
    stock = min(STOCK_RECORDS, count)
    pair = alternate(partial(speed, "stage", count), partial(speed, "stock_faust", stock), pairs)
    found.append(
        row(
            f"{name} vs stock Faust",
            pair.value,
            "records/CPU-s",
            baseline="stock Faust, an event at a time",
            baseline_value=pair.baseline,
            ratio=pair.ratio,
            ratio_at_least=70 if job == "small" else None,
        )
    )
    return found
