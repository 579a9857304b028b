"""Bodies for the OpenAPI document. A test posts every one of them."""

from typing import Any

TICKET: dict[str, Any] = {
    "event_id": "5f0c7a52-8f0e-4c39-9d0c-0a4b7a1f2c11",
    "ticket_id": "T-10293",
    "created_at": "2026-03-02T08:15:00+01:00",
    "subject": "VPN drops every ten minutes",
    "body": "Since this morning the tunnel closes by itself. The whole branch is affected.",
    "requester": "dana@example.org",
    "channel": "email",
    "queue": "IT/Network/VPN",
    "language": "en",
    "attributes": {"site": "Riga", "devices": 14, "vip": False},
}
SMALL_TICKET: dict[str, Any] = {
    "ticket_id": "T-10294",
    "created_at": "2026-03-02T07:16:10Z",
    "body": "Не приходит счёт за февраль",
}
CORRECTION: dict[str, Any] = {
    "event_id": "0c6e3b1e-64a2-4d0c-8f3b-6c1c5f0c7a52",
    "ticket_id": "T-10293",
    "corrected_at": "2026-03-02T09:00:00Z",
    "actor": "agent-7",
    "topic": "vpn",
    "priority": "high",
}
SMALL_CORRECTION: dict[str, Any] = {
    "ticket_id": "T-10294",
    "actor": "agent-7",
    "queue": "Finance/Invoices",
}
TOPIC: dict[str, Any] = {
    "event_id": "7d7a0f0e-52c4-4a55-93c5-2f6b7a0c9d10",
    "actor": "lead-2",
    "name": "beamer",
    "description": "Projectors and screens in meeting rooms",
}
SMALL_TOPIC: dict[str, Any] = {"actor": "lead-2", "name": "coffee machine"}
UNDO: dict[str, Any] = {
    "actor": "lead-2",
    "correction": "0c6e3b1e-64a2-4d0c-8f3b-6c1c5f0c7a52",
}
UNDO_ALL: dict[str, Any] = {"actor": "lead-2", "corrector": "agent-7"}
DISMISSAL: dict[str, Any] = {
    "event_id": "b1f6a2d4-0d3c-4e51-9a8e-3f0d8c1b7a20",
    "actor": "lead-2",
    "proposal": "p-6f1d0c2a9b3e",
}
SMALL_DISMISSAL: dict[str, Any] = {"actor": "lead-2", "proposal": "p-91be22c0d4f7"}
PROMOTION: dict[str, Any] = {
    "event_id": "4e2c9a6b-7d10-4f3a-8b52-1c9e0d7f6a35",
    "actor": "retraining",
    "version": "20260302T020000Z-3b1f09c2a7d4",
    "digest": "3b1f09c2a7d44e58",
    "log_offset": 1482,
}
SMALL_PROMOTION: dict[str, Any] = {key: PROMOTION[key] for key in PROMOTION if key != "event_id"}
