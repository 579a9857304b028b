"""A record that cannot be processed, and how it is kept on tickets.parked.v1."""

from base64 import b64encode
from dataclasses import dataclass
from datetime import datetime

import orjson
from pydantic import ValidationError

# Base64 adds a third; what would not fit into a record is kept by reference: topic, partition,
# offset and size.
MAX_VALUE_BYTES = 700_000
# A key that is repeated on other records. Ticket ids take 512 bytes at most.
MAX_KEY_BYTES = 1_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A record and why it was refused: `reason` is a metric label, `detail` is for people.

    key, value: the original bytes, kept so that a repaired record can be put back.
    """

    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    detail: str


def refuse(offset: int, key: bytes | None, value: bytes | None, error: ValidationError) -> Refused:
    """A record that pydantic could not read."""
    not_json = any(fault["type"] == "json_invalid" for fault in error.errors(include_url=False))
    return Refused(offset, key, value, "not-json" if not_json else "invalid-event", describe(error))


def carried(key: bytes | None) -> bytes | None:
    """`key` where a record made of this one may carry it too; a huge one would not fit twice."""
    return key if key is not None and len(key) <= MAX_KEY_BYTES else None


def describe(error: ValidationError, limit: int = 500) -> str:
    """What is wrong, without the offending input, which may be a customer's text."""
    faults = (
        f"{'/'.join(map(str, fault['loc'])) or 'record'}: {fault['msg']}"
        for fault in error.errors(include_input=False, include_url=False)
    )
    return "; ".join(faults)[:limit]


def parked(refusal: Refused, topic: str, partition: int, at: datetime) -> bytes:
    """RecordParked as JSON."""
    key, value = carried(refusal.key), refusal.value
    keep = value is not None and len(value) <= MAX_VALUE_BYTES
    return orjson.dumps(
        {
            "kind": "parked",
            "source_topic": topic,
            "source_partition": partition,
            "source_offset": refusal.offset,
            "parked_at": at,
            "reason": refusal.reason,
            "detail": refusal.detail,
            "key": None if key is None else b64encode(key).decode(),
            "value": b64encode(value).decode() if value is not None and keep else None,
            "size": 0 if value is None else len(value),
        }
    )
