"""The error tree. Each error carries the HTTP status it becomes where a request caused it.

DeskstreamError
├── BadRequest            400  a query that cannot be answered as asked
├── InvalidEvent          422  a record or request body that says something impossible
├── TooLarge              413  more bytes or elements than a request may have
├── NotFound              404  a ticket, queue or model nobody knows
├── Unavailable           503  Kafka, Redis or a model does not answer; try again later
└── Misconfigured         500  a setting that cannot work; the process ends and says what to change
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a body: where it is (RFC 6901 pointer) and what is wrong with it."""

    pointer: str
    detail: str


class DeskstreamError(Exception):
    """Base of every error this platform raises on purpose."""

    status = 500
    code = "internal"

    def __init__(self, detail: str, errors: Sequence[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = tuple(errors)


class InvalidEvent(DeskstreamError):
    """A record or body that says something impossible; `errors` names the fields."""

    status = 422
    code = "invalid-event"


class BadRequest(DeskstreamError):
    """A query that cannot be answered as asked: a malformed cursor, a date outside the data."""

    status = 400
    code = "bad-request"


class TooLarge(DeskstreamError):
    """More bytes or elements than one request may carry."""

    status = 413
    code = "too-large"


class NotFound(DeskstreamError):
    """Nobody knows this ticket, queue or model."""

    status = 404
    code = "not-found"


class Unavailable(DeskstreamError):
    """Something this service needs does not answer; try again after `retry_after` seconds."""

    status = 503
    code = "unavailable"

    def __init__(self, detail: str, retry_after: int = 5) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class Misconfigured(DeskstreamError):
    """A setting that cannot work; the message says what to change."""

    code = "misconfigured"
