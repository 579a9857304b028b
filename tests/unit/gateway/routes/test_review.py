"""The review over HTTP: least sure first, by queue, page by page."""

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from shared.windows import Dimension
from tests.unit.gateway.builders import NOON, a_record, client, human_values

REVIEW = "/api/v1/review"


@pytest.fixture
def unsure() -> MemoryViews:
    views = MemoryViews()
    for number, confidence in enumerate((0.4, 0.9, 0.3, 0.6)):
        scores = {"vpn": confidence}
        queue = "HR/Pay" if number == 3 else "IT/Network"
        views.put_ticket(a_record(number, topic_scores=scores, decision="suggested", queue=queue))
        views.count(Dimension.QUEUE, queue, NOON)
    views.put_ticket(a_record(9))
    return views


async def test_least_sure_first_page_by_page(unsure: MemoryViews) -> None:
    async with client(unsure) as http:
        first = await http.get(REVIEW, params={"limit": 3})
        second = await http.get(first.links["next"]["url"])
    assert [t["ticket_id"] for t in first.json()["tickets"]] == ["T-2", "T-0", "T-3"]
    assert [t["ticket_id"] for t in second.json()["tickets"]] == ["T-1"]
    assert second.json()["next"] is None
    assert first.json()["tickets"][0]["decision"] == "suggested"


async def test_of_one_queue(unsure: MemoryViews) -> None:
    async with client(unsure) as http:
        body = (await http.get(REVIEW, params={"queue": "HR"})).json()
    assert [t["ticket_id"] for t in body["tickets"]] == ["T-3"]


async def test_whose_topic_somebody_set_is_done(unsure: MemoryViews) -> None:
    scores = {"vpn": 0.3}
    record = a_record(2, topic_scores=scores, decision="suggested")
    unsure.put_ticket(record, human_values(2, topic="wifi"))
    async with client(unsure) as http:
        body = (await http.get(REVIEW, params={"limit": 1})).json()
    assert [t["ticket_id"] for t in body["tickets"]] == ["T-0"]


@pytest.mark.parametrize(
    ("wrong", "status"), [({"limit": 0}, 422), ({"cursor": "AAAA"}, 400), ({"queue": "None"}, 404)]
)
async def test_what_makes_no_sense_is_a_problem(
    unsure: MemoryViews, wrong: dict[str, str], status: int
) -> None:
    async with client(unsure) as http:
        answer = await http.get(REVIEW, params=wrong)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
