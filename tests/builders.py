"""Valid events with one word each to change."""

from datetime import UTC, datetime
from typing import Any

from shared.events import (
    AlertRaised,
    CorrectionsUndone,
    LabelUpdated,
    ModelStamp,
    SimilarTicket,
    TicketCorrected,
    TicketLabelled,
    TicketReceived,
)

NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def a_ticket(**changes: Any) -> TicketReceived:
    """A received ticket."""
    values: dict[str, Any] = {
        "event_id": "e-1",
        "ticket_id": "T-1",
        "created_at": NOON,
        "received_at": NOON,
        "subject": "VPN",
        "body": "the tunnel drops every few minutes",
        "requester": "r-1",
    }
    return TicketReceived(**values | changes)


def a_label(src_offset: int = 0, **changes: Any) -> TicketLabelled:
    """A labelled ticket; its ids follow `src_offset` unless given."""
    values: dict[str, Any] = {
        "src_offset": src_offset,
        "event_id": f"e-{src_offset}",
        "ticket_id": f"T-{src_offset}",
        "created_at": NOON,
        "received_at": NOON,
        "labelled_at": NOON,
        "topic": "vpn",
        "topic_scores": {"vpn": 0.9, "printer": 0.1},
        "priority": "high",
        "priority_scores": {"high": 0.7, "low": 0.3},
        "model": ModelStamp(name="m", version="1", digest="d"),
    }
    return TicketLabelled(**values | changes)


def an_update(**changes: Any) -> LabelUpdated:
    """What the semantic worker says later of T-0's label."""
    values: dict[str, Any] = {
        "ticket_id": "T-0",
        "event_id": "e-0",
        "updated_at": NOON,
        "topic": "printer",
        "topic_scores": {"printer": 0.8, "vpn": 0.2},
        "decision": "suggested",
        "similar": (SimilarTicket(ticket_id="T-7", similarity=0.9),),
        "model": ModelStamp(name="semantic", version="2", digest="d"),
    }
    return LabelUpdated(**values | changes)


def an_undo(**what: str) -> CorrectionsUndone:
    """Takes back `correction`, or all of `corrector`."""
    values = {"event_id": "u-1", "received_at": NOON, "actor": "boss"}
    return CorrectionsUndone.model_validate(values | what)


def a_correction(**changes: Any) -> TicketCorrected:
    """A correction of T-0's topic."""
    values: dict[str, Any] = {
        "event_id": "c-1",
        "ticket_id": "T-0",
        "corrected_at": NOON,
        "received_at": NOON,
        "actor": "kim",
        "topic": "printer",
    }
    return TicketCorrected(**values | changes)


def an_alert(**changes: Any) -> AlertRaised:
    """An open alert of a surge about the VPN."""
    values: dict[str, Any] = {
        "alert_id": "a-1",
        "state": "open",
        "surging": "topic",
        "queue": "IT/Network",
        "topic": "vpn",
        "started_at": NOON,
        "ended_at": None,
        "raised_at": NOON,
        "tickets": 25,
        "expected": 4.5,
        "requesters": 20,
        "peak": 6.1,
        "examples": ("T-1", "T-2"),
    }
    return AlertRaised(**values | changes)
