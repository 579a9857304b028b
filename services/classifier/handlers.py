"""The stage of the hot path: a chunk of received tickets becomes labels in order, or is parked."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.classifier.domain import records
from services.classifier.domain.decoding import Decoded, decode, split
from services.classifier.domain.labelling import Labelling, ticket_text
from services.classifier.domain.parking import ParkingLimit
from services.classifier.inference import Deadly, Inference, Suspected
from shared import metrics
from shared.clock import Clock
from shared.parking import Refused, carried, parked
from shared.streaming import Chunk
from shared.streaming.producer import Entry, Outbox
from shared.topics import LABELLED, PARKED, RECEIVED

log = logging.getLogger(__name__)

# Below a batch of the producer, with room for the key. Ingest lets nothing through that comes near,
# but others may write to the topic, and one such record would stop its partition for ever.
MAX_LABEL_BYTES = 950_000


@dataclass(frozen=True, slots=True)
class Labels:
    """What a chunk came to, ready to be sent: one label or skip per source record, in order."""

    entries: list[Entry]
    refused: list[Refused]


class LabelStage:
    """Decodes, labels and delivers chunks of tickets.received.v1 (a `shared.streaming.Stage`)."""

    def __init__(
        self,
        inference: Inference,
        outbox: Outbox,
        limit: ParkingLimit,
        clock: Clock,
        *,
        shadow: bool = False,
    ) -> None:
        """`shadow`: say of every label that it is not to be acted on."""
        self._inference = inference
        self._outbox = outbox
        self._limit = limit
        self._clock = clock
        self._shadow = shadow

    async def prepare(self, chunk: Chunk) -> Labels:
        """Decode and label; a record that fails becomes a refusal, never an exception."""
        tickets, refused = split([decode(r.offset, r.key, r.value) for r in chunk.records])
        values: dict[int, bytes] = {}
        if tickets:
            values, failed = await self._label(tickets)
            refused += failed
        refused += self._oversize(values, chunk)
        values.update((refusal.offset, records.skipped(refusal)) for refusal in refused)
        return Labels([(carried(r.key), values[r.offset]) for r in chunk.records], refused)

    async def deliver(self, chunk: Chunk, prepared: Labels) -> None:
        """Send to the partition the chunk came from; parked records first, so none is forgotten."""
        self._limit.admit(len(prepared.entries), len(prepared.refused))
        partition = chunk.partition.partition
        if prepared.refused:
            await self._park(partition, prepared.refused)
        await self._outbox.send(LABELLED.name, partition, prepared.entries)
        metrics.LABELLED.inc(len(prepared.entries) - len(prepared.refused))

    async def _park(self, partition: int, refused: Sequence[Refused]) -> None:
        now = self._clock()
        entries = [
            (carried(refusal.key), parked(refusal, RECEIVED.name, partition, now))
            for refusal in refused
        ]
        await self._outbox.send(PARKED.name, partition, entries)
        for refusal in refused:
            metrics.PARKED.labels("classifier", refusal.reason).inc()
            log.warning("parked %s@%s: %s", partition, refusal.offset, refusal.detail)

    @staticmethod
    def _oversize(values: Mapping[int, bytes], chunk: Chunk) -> list[Refused]:
        """Refusals of the tickets whose label does not fit into a record."""
        large = {at: len(value) for at, value in values.items() if len(value) > MAX_LABEL_BYTES}
        if not large:
            return []
        return [
            Refused(r.offset, r.key, r.value, "too-large", f"its label has {large[r.offset]} bytes")
            for r in chunk.records
            if r.offset in large
        ]

    async def _label(self, tickets: Sequence[Decoded]) -> tuple[dict[int, bytes], list[Refused]]:
        texts = [ticket_text(each.ticket.subject, each.ticket.body) for each in tickets]
        try:
            return dict(self._encode(tickets, await self._inference.label(texts))), []
        except (Suspected, Deadly) as suspicion:
            log.warning("a batch of %s is asked ticket by ticket: %s", len(texts), suspicion)
        except Exception:
            log.exception("the model failed on a batch of %s; asking ticket by ticket", len(texts))
        values: dict[int, bytes] = {}
        failed: list[Refused] = []
        answers = await self._inference.label_each(texts)
        for each, answer in zip(tickets, answers, strict=True):
            if isinstance(answer, Labelling):
                values.update(self._encode([each], answer))
            else:
                value = each.ticket.model_dump_json().encode()
                key = each.ticket.ticket_id.encode()
                failed.append(Refused(each.offset, key, value, "model-error", repr(answer)))
        return values, failed

    def _encode(
        self, tickets: Sequence[Decoded], labelling: Labelling
    ) -> Iterator[tuple[int, bytes]]:
        model = labelling.model or self._inference.identity
        encoded = records.labelled(tickets, labelling, model, self._clock(), shadow=self._shadow)
        return zip((each.offset for each in tickets), encoded, strict=True)
