"""The log on Kafka: an idempotent producer with acks=all, bounded waits and bounded memory."""

import asyncio
import logging
from collections.abc import Callable, Sequence

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.ingest.adapters.lanes import Delivery, Lane
from services.ingest.adapters.publisher import RETRY_AFTER_SECONDS, InFlight
from services.ingest.domain.admission import Message
from shared import topics
from shared.admission import expelled, refusal
from shared.errors import Unavailable
from shared.settings import KafkaSettings
from shared.topics import Topic, partition_of

log = logging.getLogger(__name__)

# Bounds one attempt to connect, so that the next one starts from fresh metadata.
CONNECT_SECONDS = 10.0
TOPIC_SECONDS = 3.0
RECONNECT_SECONDS = 0.5
STOP_SECONDS = 5.0
# A frozen broker is asked again after this; the producer itself never gives a batch up.
REQUEST_TIMEOUT_MS = 20_000
# A lane's batch. Far below a topic's max.message.bytes, which bounds batches, not records.
BATCH_BYTES = 262_144
METADATA_MAX_AGE_MS = 15_000


class KafkaPublisher:
    """Publishes to every topic that ingest writes. `die` ends the process on a fatal error."""

    def __init__(
        self,
        kafka: KafkaSettings,
        *,
        ack_timeout: float,
        linger: float = 0.0,
        in_flight: InFlight,
        die: Callable[[str], None],
    ) -> None:
        self._kafka = kafka
        self._ack_timeout = ack_timeout
        self._linger = linger
        self._flush: asyncio.TimerHandle | None = None
        self._in_flight = in_flight
        self._die = die
        self._producer: AIOKafkaProducer | None = None
        self._lanes: dict[str, list[Lane]] = {}
        self._outage: str | None = "has not connected to Kafka yet"
        self._silent = False
        self._connecting: asyncio.Task[None] | None = None
        self._guarding: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._connecting = asyncio.create_task(self._connect())
        # The first request of a healthy start should not meet a 503.
        await asyncio.wait({self._connecting}, timeout=self._ack_timeout)

    async def stop(self) -> None:
        self._outage = "the service is stopping"
        for task in (self._connecting, self._guarding):
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
        if self._producer is not None:
            await _let_go(self._producer)

    async def publish(self, topic: Topic, messages: Sequence[Message]) -> None:
        if self._outage is not None:
            raise Unavailable(f"ingest {self._outage}", RETRY_AFTER_SECONDS)
        self._in_flight.admit(messages)
        lanes = self._lanes[topic.name]
        count = len(lanes)
        delivery = Delivery(len(messages))
        for message in messages:
            lanes[partition_of(message.ticket_id, count)].put(delivery, message)
        if self._flush is None:
            # One timer for all lanes: their batches then share a request to the broker, and one
            # request instead of several is what costs both sides less.
            self._flush = asyncio.get_running_loop().call_later(self._linger, self._flush_all)
        try:
            async with asyncio.timeout(self._ack_timeout):
                await delivery.acknowledged
        except TimeoutError:
            self._silent = True
            for lane in lanes:
                lane.forget_abandoned()
            raise Unavailable(
                f"Kafka did not acknowledge within {self._ack_timeout:g} s; "
                "repeat the request with the same event ids",
                RETRY_AFTER_SECONDS,
            ) from None
        self._silent = False

    async def check(self) -> str | None:
        if self._outage is not None or self._producer is None:
            return self._outage
        if not await self._producer.client.force_metadata_update():
            return f"no broker of {self._kafka.bootstrap_servers} answers"
        # Metadata may be served while no record can be written: too few replicas in sync.
        if self._silent and self._in_flight.events:
            return "Kafka does not acknowledge"
        return None

    async def _connect(self) -> None:
        """Try until the broker answers and has the topics; /ready shows the reason meanwhile."""
        while True:
            producer = self._new_producer()
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    await producer.start()
                    await self._open_lanes(producer)
            except (KafkaError, OSError, TimeoutError) as error:
                self._report(
                    f"cannot use Kafka at {self._kafka.bootstrap_servers}: {_reason(error)}"
                )
                await _let_go(producer)
                if reason := await refusal(self._kafka):
                    self._die(reason)
                    return
                await asyncio.sleep(RECONNECT_SECONDS)
            except asyncio.CancelledError:
                await _let_go(producer)
                raise
            else:
                self._producer, self._outage = producer, None
                log.info("connected to Kafka at %s", self._kafka.bootstrap_servers)
                if self._kafka.secured:
                    self._guarding = asyncio.create_task(self._keep_access(producer))
                return

    async def _keep_access(self, producer: AIOKafkaProducer) -> None:
        self._fail(await expelled(producer.client, self._kafka))

    def _new_producer(self) -> AIOKafkaProducer:
        return AIOKafkaProducer(
            **self._kafka.connection(),
            client_id="deskstream-ingest",
            enable_idempotence=True,
            acks="all",
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_batch_size=BATCH_BYTES,
            metadata_max_age_ms=METADATA_MAX_AGE_MS,
        )

    async def _open_lanes(self, producer: AIOKafkaProducer) -> None:
        for topic in (topics.RECEIVED, topics.CORRECTED):
            try:
                async with asyncio.timeout(TOPIC_SECONDS):
                    count = len(await producer.partitions_for(topic.name))
            except TimeoutError:
                raise TimeoutError(
                    f"topic {topic.name} is missing; run python -m shared.provisioning"
                ) from None
            if count != topic.partitions(self._kafka.partitions):
                # The broker is right: the number is fixed for the life of a topic.
                log.warning("topic %s has %d partitions, not as configured", topic.name, count)
            self._lanes[topic.name] = [
                Lane(producer, topic.name, partition, self._in_flight, self._fail)
                for partition in range(count)
            ]

    def _flush_all(self) -> None:
        self._flush = None
        for lanes in self._lanes.values():
            for lane in lanes:
                lane.flush()

    def _fail(self, reason: str) -> None:
        if self._outage is None:
            self._report(f"lost its Kafka producer: {reason}")
            self._die(reason)

    def _report(self, outage: str) -> None:
        if outage != self._outage:
            log.warning("ingest %s", outage)
        self._outage = outage


async def _let_go(producer: AIOKafkaProducer) -> None:
    """Stop a producer without waiting forever for a broker that is away."""
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await producer.stop()
    except (TimeoutError, KafkaError) as error:
        log.warning("the Kafka producer did not stop cleanly: %r", error)


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
