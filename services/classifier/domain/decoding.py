"""Bytes of a chunk into tickets, and what cannot be one into a refusal."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.events import TicketReceived
from shared.parking import Refused, refuse


@dataclass(frozen=True, slots=True)
class Decoded:
    """A ticket and the offset it came from."""

    offset: int
    ticket: TicketReceived


def decode(offset: int, key: bytes | None, value: bytes | None) -> Decoded | Refused:
    """One record of tickets.received.v1."""
    if value is None:
        return Refused(offset, key, value, "empty", "the record has no value")
    try:
        return Decoded(offset, TicketReceived.model_validate_json(value))
    except ValidationError as error:
        return refuse(offset, key, value, error)


def split(outcomes: Sequence[Decoded | Refused]) -> tuple[list[Decoded], list[Refused]]:
    """Tickets and refusals, each in order."""
    tickets = [outcome for outcome in outcomes if isinstance(outcome, Decoded)]
    refused = [outcome for outcome in outcomes if isinstance(outcome, Refused)]
    return tickets, refused
