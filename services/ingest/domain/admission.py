"""From a request body to records for the log: validated, masked, pseudonymous, all or nothing."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import orjson

from services.ingest.domain.bodies import Batch, BodyReader, invalid
from services.ingest.domain.masking import mask
from services.ingest.domain.posts import CorrectionPost, Post, TicketPost
from services.ingest.domain.pseudonyms import Pseudonyms
from shared.clock import Clock
from shared.errors import FieldError, TooLarge

# Clocks of helpdesks run ahead; more than a day is a fault that would distort the load windows.
FUTURE = timedelta(days=1)

AnyPost = TypeVar("AnyPost", bound=Post)


class Message(NamedTuple):
    """One record for the log: its key and the encoded event."""

    ticket_id: str
    value: bytes


class Admission:
    """Decides what enters. Pure but for the clock and random event ids."""

    def __init__(
        self, *, pseudonyms: Pseudonyms, clock: Clock, max_events: int, max_record_bytes: int
    ) -> None:
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._max_record_bytes = max_record_bytes
        self._tickets = BodyReader(TicketPost, max_events)
        self._corrections = BodyReader(CorrectionPost, max_events)

    def tickets(self, raw: bytes, content_type: str) -> list[Message]:
        """Records for tickets.received.v1. Raises InvalidEvent, TooLarge, UnsupportedMediaType."""
        return self._admit(self._tickets.read(raw, content_type), self._received)

    def corrections(self, raw: bytes, content_type: str) -> list[Message]:
        """Records for tickets.corrected.v1. Raises as `tickets` does."""
        return self._admit(self._corrections.read(raw, content_type), self._corrected)

    def _admit(
        self, batch: Batch[Any], event: Callable[[Any, datetime], dict[str, object]]
    ) -> list[Message]:
        now = self._clock()
        self._refuse_future(batch, now)
        messages = [
            Message(post.ticket_id, orjson.dumps(event(post, now), option=orjson.OPT_UTC_Z))
            for post in batch.posts
        ]
        self._refuse_oversize(batch, messages)
        return messages

    @staticmethod
    def _refuse_future(batch: Batch[Any], now: datetime) -> None:
        latest = now + FUTURE
        faults: list[FieldError] = []
        for index, post in enumerate(batch.posts):
            for field, instant in post.instants():
                if instant > latest:
                    detail = "Input should not be more than a day in the future"
                    faults.append(batch.fault(index, field, detail))
        if faults:
            raise invalid(faults)

    def _refuse_oversize(self, batch: Batch[Any], messages: list[Message]) -> None:
        limit = self._max_record_bytes
        faults = [
            batch.fault(index, "", f"is {len(message.value)} bytes as a record, limit {limit}")
            for index, message in enumerate(messages)
            if len(message.value) > limit
        ]
        if faults:
            raise TooLarge("an event is too large for the log; nothing was accepted", faults)

    def _received(self, post: TicketPost, now: datetime) -> dict[str, object]:
        attributes = post.attributes
        if attributes:
            attributes = {k: mask(v) if isinstance(v, str) else v for k, v in attributes.items()}
        return {
            "event_id": post.event_id or str(uuid4()),
            "ticket_id": post.ticket_id,
            "created_at": post.created_at.astimezone(UTC),
            "received_at": now,
            "subject": mask(post.subject),
            "body": mask(post.body),
            "requester": self._pseudonyms.of(post.requester),
            "channel": post.channel,
            "queue": post.queue,
            "language": post.language,
            "attributes": attributes,
        }

    def _corrected(self, post: CorrectionPost, now: datetime) -> dict[str, object]:
        return {
            "kind": "correction",
            "event_id": post.event_id or str(uuid4()),
            "ticket_id": post.ticket_id,
            "corrected_at": (post.corrected_at or now).astimezone(UTC),
            "received_at": now,
            "actor": post.actor,
            "topic": post.topic,
            "priority": post.priority,
            "queue": post.queue,
            "subject": mask(post.subject),
            "body": mask(post.body),
        }
