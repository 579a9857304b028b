"""Tickets over HTTP: one, pages, filters, and every refusal a problem."""

from typing import Any

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from shared.queues import QueueDirectory
from tests.unit.gateway.builders import FakeJudge, a_record, client, small_helpdesk

TICKETS = "/api/v1/tickets"


def ids(body: dict[str, Any]) -> list[str]:
    return [ticket["ticket_id"] for ticket in body["tickets"]]


async def test_a_ticket_has_labels_scores_model_and_what_a_human_set() -> None:
    async with client(small_helpdesk()) as http:
        body = (await http.get(f"{TICKETS}/T-4")).json()
    assert (body["topic"], body["sources"]["topic"]) == ("leave", "human")
    assert (body["priority"], body["sources"]["priority"]) == ("high", "model")
    assert body["predicted"]["topic"] == "pay"
    assert body["topic_scores"] == {"vpn": 0.9, "wifi": 0.1}
    assert body["model"] == {
        "name": "linear",
        "version": "3",
        "digest": "9c1f2ab4",
        "log_offset": 7,
    }
    assert body["human"]["actor"] == "agent-7"
    assert body["created_at"] == "2026-03-02T12:00:04Z"


@pytest.mark.parametrize("ticket_id", ["a/b", "№ 5", "a?b#c", "a%2Fb"])
async def test_an_id_may_hold_any_letter(ticket_id: str) -> None:
    views = MemoryViews()
    views.put_ticket(a_record(1, ticket_id=ticket_id))
    async with client(views) as http:
        quoted = ticket_id.replace("%", "%25").replace("?", "%3F").replace("#", "%23")
        answer = await http.get(f"{TICKETS}/{quoted}")
    assert answer.json()["ticket_id"] == ticket_id


async def test_an_unknown_ticket_is_a_problem() -> None:
    async with client(small_helpdesk()) as http:
        answer = await http.get(f"{TICKETS}/T-99")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:deskstream:problem:not-found"


async def test_pages_by_next_and_by_link() -> None:
    async with client(small_helpdesk()) as http:
        first = await http.get(TICKETS, params={"limit": 3, "priority": "high"})
        assert ids(first.json()) == ["T-4", "T-3", "T-2"]
        assert first.links["next"]["url"].startswith("/api/v1/tickets?")
        by_link = await http.get(first.links["next"]["url"])
        cursor = {"limit": 3, "priority": "high", "cursor": first.json()["next"]}
        by_next = await http.get(TICKETS, params=cursor)
    assert by_link.json() == by_next.json()
    assert ids(by_link.json()) == ["T-1"]
    assert by_link.json()["next"] is None
    assert "link" not in by_link.headers


NETWORK = QueueDirectory(ids={"IT/Network": 11})


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, ["T-4", "T-3", "T-2", "T-1"]),
        ({"topic": "vpn"}, ["T-2", "T-1"]),
        ({"topic": "none"}, []),
        ({"queue": "IT"}, ["T-2", "T-1"]),
        ({"queue": "IT/Network/VPN"}, ["T-2"]),
        ({"queue": "11"}, ["T-2", "T-1"]),
        ({"queue": "0", "topic": "pay"}, ["T-3"]),
        ({"queue": "HR", "topic": "leave", "priority": "high"}, ["T-4"]),
        ({"queue": "HR", "topic": "vpn"}, []),
    ],
)
async def test_filters(filters: dict[str, str], expected: list[str]) -> None:
    async with client(small_helpdesk(), directory=NETWORK) as http:
        answer = await http.get(TICKETS, params=filters)
    assert ids(answer.json()) == expected


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("cursor=abc", 400, "cursor"),
        ("cursor=a.b", 422, "/cursor"),
        ("limit=0", 422, "/limit"),
        ("limit=201", 422, "/limit"),
        ("limit=many", 422, "/limit"),
        ("topic=", 422, "/topic"),
        ("colour=red", 422, "/colour"),
        ("queue=Nowhere", 404, "Nowhere"),
    ],
)
async def test_refusals_name_the_parameter(query: str, status: int, says: str) -> None:
    async with client(small_helpdesk()) as http:
        answer = await http.get(f"{TICKETS}?{query}")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert says in answer.text


async def test_without_redis_503_says_when_to_come_back() -> None:
    views = small_helpdesk()
    views.broken = "Redis does not answer: gone"
    async with client(views) as http:
        answer = await http.get(TICKETS)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "5"
    assert answer.json()["detail"] == "Redis does not answer: gone"


async def test_a_ticket_says_why_its_topic_was_given() -> None:
    judge = FakeJudge()
    async with client(small_helpdesk(), judge=judge) as http:
        body = (await http.get(f"{TICKETS}/T-4")).json()
    assert body["topic"] == "leave"
    assert body["why"] == [{"term": "pay", "weight": 2.5}], "of the model's topic, not the human's"
    assert judge.asked[0][0].body == "every ten minutes"


async def test_a_page_is_explained_in_one_question() -> None:
    judge = FakeJudge()
    async with client(small_helpdesk(), judge=judge) as http:
        body = (await http.get(TICKETS)).json()
    assert all(ticket["why"] for ticket in body["tickets"])
    assert [len(page) for page in judge.asked] == [4]


async def test_without_a_classifier_tickets_are_shown_without_reasons() -> None:
    judge = FakeJudge()
    judge.away = "gone"
    async with client(small_helpdesk(), judge=judge) as http:
        answer = await http.get(f"{TICKETS}/T-4")
    assert (answer.status_code, answer.json()["why"]) == (200, None)


async def test_a_subject_longer_than_ingest_allows_is_explained_in_part() -> None:
    views, judge = MemoryViews(), FakeJudge()
    views.put_ticket(a_record(1, subject="x" * 5_000))
    async with client(views, judge=judge) as http:
        assert (await http.get(f"{TICKETS}/T-1")).status_code == 200
    assert len(judge.asked[0][0].subject) == 1_000
