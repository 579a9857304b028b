"""The radar on the semantic worker's port."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.state_snapshots import StateSnapshots
from services.classifier.domain.log_records import LogRecord
from services.classifier.emerging import EmergingTopics
from services.classifier.semantic.proposals import proposals_router
from shared.events import ProposalDismissed
from shared.http import create_service
from shared.proposals import Proposals, ProposedTopic
from tests.builders import NOON
from tests.unit.classifier.domain.radar.sky import NOVEL, Sky


@pytest.fixture
def topics(tmp_path: Path) -> EmergingTopics:
    made = EmergingTopics(StateSnapshots(LocalDirectory(tmp_path), "radar-", "radar", 1))
    sky = Sky()
    for _ in range(9):
        made.observe(sky.ticket(subject="projector"), sky.near(0), NOVEL)
    return made


@pytest.fixture
async def http(topics: EmergingTopics) -> AsyncIterator[httpx.AsyncClient]:
    app = create_service("semantic", title="t", description="d", checks={})
    app.include_router(proposals_router(topics))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://semantic") as client:
        yield client


async def test_proposals_are_listed_with_their_examples(http: httpx.AsyncClient) -> None:
    answer = await http.get("/proposals")
    listed = Proposals.model_validate_json(answer.content)
    [found] = listed.proposals
    assert (found.tickets, found.requesters, found.fate) == (9, 7, "growing")
    assert found.examples[0].subject == "projector"
    assert found.first_seen < found.last_seen
    one = await http.get(f"/proposals/{found.id}")
    assert ProposedTopic.model_validate_json(one.content) == found


async def test_a_dismissed_one_is_found_but_not_listed(
    http: httpx.AsyncClient, topics: EmergingTopics
) -> None:
    [found] = topics.proposals()
    event = ProposalDismissed(event_id="d", received_at=NOON, actor="kim", proposal=found.id)
    topics.apply([LogRecord(4, event)])
    assert (await http.get("/proposals")).json() == {"proposals": [], "log_offset": 5}
    assert (await http.get(f"/proposals/{found.id}")).json()["fate"] == "dismissed"


async def test_an_unknown_one_is_a_problem(http: httpx.AsyncClient) -> None:
    answer = await http.get("/proposals/p-none")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "p-none" in answer.json()["detail"]
