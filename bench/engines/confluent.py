"""The same with confluent-kafka, whose client is C: consume, produce, flush, commit."""

from confluent_kafka import Consumer, Producer

from bench.engines.job import Arguments, Stopwatch

COMMIT_RECORDS = 10_000


def main() -> None:
    arguments = Arguments.read()
    consumer = Consumer(
        {
            "bootstrap.servers": arguments.bootstrap,
            "group.id": arguments.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
        }
    )
    producer = Producer(
        {
            "bootstrap.servers": arguments.bootstrap,
            "linger.ms": 5,
            "enable.idempotence": True,
            "queue.buffering.max.messages": 1_000_000,
        }
    )
    consumer.subscribe([arguments.source])
    stopwatch, since = Stopwatch(arguments.count), 0
    while True:
        records = consumer.consume(2_000, 0.5)
        if not records:
            continue
        stopwatch.begin()
        values = arguments.run([(r.offset(), r.value()) for r in records])
        for record, value in zip(records, values, strict=True):
            producer.produce(arguments.target, value, record.key(), partition=record.partition())
        producer.poll(0)
        since += len(records)
        if since >= COMMIT_RECORDS:
            producer.flush()
            consumer.commit(asynchronous=False)
            since = 0
        stopwatch.delivered(len(records))


if __name__ == "__main__":
    main()
