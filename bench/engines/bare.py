"""The least one can write with aiokafka: getmany, send_batch, commit. No faults are thought of."""

import asyncio
import gc

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.engines.job import Arguments, Stopwatch

COMMIT_RECORDS = 10_000


async def main() -> None:
    arguments = Arguments.read()
    consumer = AIOKafkaConsumer(
        arguments.source,
        bootstrap_servers=arguments.bootstrap,
        group_id=arguments.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=1 << 20,
    )
    producer = AIOKafkaProducer(
        bootstrap_servers=arguments.bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=1_000_000,
    )
    await consumer.start()
    await producer.start()
    # The same garbage collection as the worker's, or the comparison is of that.
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
    stopwatch, since = Stopwatch(arguments.count), 0
    while True:
        polled = await consumer.getmany(timeout_ms=500, max_records=4_000)
        if polled:
            stopwatch.begin()
        delivered, records = [], 0
        for tp, batch_records in polled.items():
            batch = producer.create_batch()
            for record, value in zip(
                batch_records,
                arguments.run([(r.offset, r.value) for r in batch_records]),
                strict=True,
            ):
                if batch.append(key=record.key, value=value, timestamp=None) is None:
                    batch.close()
                    delivered.append(
                        await producer.send_batch(batch, arguments.target, partition=tp.partition)
                    )
                    batch = producer.create_batch()
                    batch.append(key=record.key, value=value, timestamp=None)
            batch.close()
            delivered.append(
                await producer.send_batch(batch, arguments.target, partition=tp.partition)
            )
            records += len(batch_records)
        await asyncio.gather(*delivered)
        since += records
        if since >= COMMIT_RECORDS:
            await consumer.commit()
            since = 0
        stopwatch.delivered(records)


if __name__ == "__main__":
    asyncio.run(main())
