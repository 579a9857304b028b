"""What a client may post: strict, so that nothing doubtful reaches the log."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Protocol, Self

from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from shared.events import Attribute, Language

# Explicit ranges, not \p{Cc}: the pattern is part of the OpenAPI and must mean the same in Python.
_NO_CONTROL = r"^[^\x00-\x1f\x7f-\x9f]+$"
# No empty step in a path: each would become a queue without a name.
_PATH = r"^[^/\x00-\x1f\x7f-\x9f]+(/[^/\x00-\x1f\x7f-\x9f]+)*$"
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_INT64 = 2**63


def _iso(value: object) -> object:
    # Pydantic takes "1700000000" for a unix time; a number that lost its unit has no place here.
    if not isinstance(value, str) or value[4:5] != "-":
        raise PydanticCustomError(
            "datetime_iso", "Input should be an ISO 8601 date and time with a UTC offset"
        )
    return value


def _scalar(value: object) -> object:
    """One check instead of a union, whose errors would name each member it tried."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int) and -_INT64 <= value < _INT64:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    raise PydanticCustomError(
        "scalar", "Input should be a string, a finite number, a boolean or null, at most 64 bits"
    )


Id = Annotated[str, Field(min_length=1, max_length=128, pattern=_NO_CONTROL)]
Name = Annotated[str, Field(min_length=1, max_length=100, pattern=_NO_CONTROL)]
Queue = Annotated[str, Field(min_length=1, max_length=200, pattern=_PATH)]
Subject = Annotated[str, Field(max_length=1_000)]
Body = Annotated[str, Field(max_length=100_000)]
# Not strict: behind a Python validator, strict mode takes only datetime objects, no strings.
Instant = Annotated[
    AwareDatetime, Field(ge=_EARLIEST, strict=False), BeforeValidator(_iso, AwareDatetime)
]
Scalar = Annotated[Attribute, PlainValidator(_scalar, json_schema_input_type=Attribute)]


class Post(Protocol):
    """What every posted thing has, so that one admission serves all."""

    @property
    def event_id(self) -> str | None: ...

    def instants(self) -> Iterator[tuple[str, datetime]]:
        """Its times by field name: they must not lie in the future."""
        ...


class TicketPost(BaseModel):
    """One ticket event as a helpdesk posts it."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, title="TicketEvent")

    event_id: Id | None = Field(
        default=None,
        description="Repeat a request with the same event ids and nothing is counted twice. "
        "Left out: a random one.",
    )
    ticket_id: Id
    created_at: Instant = Field(
        description="ISO 8601 with a UTC offset, from 2000-01-01 to one day from now."
    )
    subject: Subject = ""
    body: Body = ""
    requester: Annotated[str, Field(max_length=320)] = Field(
        default="", description="Who asks. Only a keyed pseudonym of it is kept."
    )
    channel: Name = "unknown"
    queue: Queue | None = Field(
        default=None, description="Path in the queue tree. Left out: the queue of its topic."
    )
    language: Language | None = None
    attributes: Annotated[
        dict[Annotated[str, Field(min_length=1, max_length=100)], Scalar], Field(max_length=50)
    ] = Field(default_factory=dict)

    def instants(self) -> Iterator[tuple[str, datetime]]:
        yield "created_at", self.created_at


class CorrectionPost(BaseModel):
    """What a human set for a ticket; fields left out were not changed."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        title="Correction",
        json_schema_extra={
            "anyOf": [{"required": [name]} for name in ("topic", "priority", "queue")]
        },
    )

    event_id: Id | None = None
    ticket_id: Id
    corrected_at: Instant | None = Field(default=None, description="Left out: now.")
    actor: Id = Field(description="Who corrected.")
    topic: Name | None = None
    priority: Name | None = None
    queue: Queue | None = None
    subject: Subject = ""
    body: Body = ""

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if self.topic is None and self.priority is None and self.queue is None:
            raise PydanticCustomError(
                "nothing_set", "Input should set at least one of topic, priority, queue"
            )
        return self

    def instants(self) -> Iterator[tuple[str, datetime]]:
        if self.corrected_at is not None:
            yield "corrected_at", self.corrected_at
