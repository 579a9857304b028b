"""From a request body to records for the log: validated, masked, pseudonymous, all or nothing."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar
from uuid import NAMESPACE_URL, uuid4, uuid5

import orjson
from pydantic import BaseModel

from services.ingest.domain.bodies import Batch, BodyReader, invalid
from services.ingest.domain.control_posts import CONTROLS, ControlPost
from services.ingest.domain.masking import mask
from services.ingest.domain.posts import CorrectionPost, Post, TicketPost
from services.ingest.domain.pseudonyms import Pseudonyms
from shared.clock import Clock
from shared.errors import FieldError, TooLarge

# Clocks of helpdesks run ahead; more than a day is a fault that would distort the load windows.
FUTURE = timedelta(days=1)

AnyPost = TypeVar("AnyPost", bound=Post)
# Subject and body, both masked before.
KnownText = tuple[str, str]
NO_TEXT: KnownText = ("", "")


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
        self._controls = {post: BodyReader(post, max_events) for post in CONTROLS}

    def tickets(self, raw: bytes, content_type: str) -> list[Message]:
        """Records for tickets.received.v1. Raises InvalidEvent, TooLarge, UnsupportedMediaType."""
        batch = self._tickets.read(raw, content_type)
        keys = [post.ticket_id for post in batch.posts]
        return self._admit(batch, keys, self._received)

    def read_corrections(self, raw: bytes, content_type: str) -> Batch[CorrectionPost]:
        """Valid corrections, not yet admitted. Raises as `tickets` does."""
        return self._corrections.read(raw, content_type)

    def corrections(
        self,
        batch: Batch[CorrectionPost],
        texts: Mapping[str, KnownText],
        idempotency_key: str | None = None,
    ) -> list[Message]:
        """Records for tickets.corrected.v1. Raises InvalidEvent, TooLarge.

        texts: what is known of tickets by id, for corrections that teach and bring no text.
        """

        def event(post: CorrectionPost, now: datetime) -> dict[str, object]:
            known = texts.get(post.ticket_id, NO_TEXT) if wants_text(post) else NO_TEXT
            return self._corrected(post, now, known)

        keys = [post.ticket_id for post in batch.posts]
        return self._admit(batch, keys, event, _scoped("correction", idempotency_key))

    def controls(
        self, post: type[ControlPost], raw: bytes, content_type: str, idempotency_key: str | None
    ) -> list[Message]:
        """Control records of one kind for tickets.corrected.v1. Raises as `tickets` does."""
        batch = self._controls[post].read(raw, content_type)
        keys = [post.kind] * len(batch.posts)
        return self._admit(batch, keys, post.record, _scoped(post.kind, idempotency_key))

    def _admit(
        self,
        batch: Batch[Any],
        keys: Sequence[str],
        event: Callable[[Any, datetime], dict[str, object]],
        repetition: str | None = None,
    ) -> list[Message]:
        now = self._clock()
        self._refuse_future(batch, now)
        messages = []
        for index, (key, post) in enumerate(zip(keys, batch.posts, strict=True)):
            values = event(post, now)
            values["event_id"] = post.event_id or _event_id(repetition, index, post)
            messages.append(Message(key, orjson.dumps(values, option=orjson.OPT_UTC_Z)))
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

    @staticmethod
    def _corrected(post: CorrectionPost, now: datetime, known: KnownText) -> dict[str, object]:
        subject, body = known
        return {
            "kind": "correction",
            "ticket_id": post.ticket_id,
            "corrected_at": (post.corrected_at or now).astimezone(UTC),
            "received_at": now,
            "actor": post.actor,
            "topic": post.topic,
            "priority": post.priority,
            "queue": post.queue,
            "subject": mask(post.subject) or subject,
            "body": mask(post.body) or body,
        }


def wants_text(post: CorrectionPost) -> bool:
    """Whether a model could learn from this correction if it had the ticket's text."""
    teaches = post.topic is not None or post.priority is not None
    return teaches and not (post.subject or post.body)


def _scoped(kind: str, idempotency_key: str | None) -> str | None:
    """A key is one of its route: under another one it names another request."""
    return f"{kind}:{idempotency_key}" if idempotency_key else None


def _event_id(repetition: str | None, index: int, post: BaseModel) -> str:
    """The same for the same scoped key, place in the request and content; random without a key.

    By the content too: another request under a used key got its 202 and must not vanish.
    """
    if not repetition:
        return str(uuid4())
    content = post.model_dump_json()
    return str(uuid5(NAMESPACE_URL, f"idempotency:{repetition}:{index}:{content}"))
