"""GET and POST /api/v1/topics."""

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from tests.unit.gateway.builders import FakeBrain, client

PATH = "/api/v1/topics"


async def test_a_named_topic_is_listed() -> None:
    brain = FakeBrain()
    async with client(MemoryViews(), brain=brain) as http:
        body = {"name": "beamer", "actor": "lead-2", "description": "projectors"}
        answer = await http.post(PATH, json=body, headers={"Idempotency-Key": "k-1"})
        assert (answer.status_code, answer.json()) == (202, {"name": "beamer"})
        listed = (await http.get(PATH)).json()
    assert {"name": "beamer", "description": "projectors"} in listed["topics"]
    assert listed["log_offset"] == 1
    assert brain.keys == ["k-1"]


@pytest.mark.parametrize(
    "body",
    [
        {"name": "beamer"},
        {"name": "", "actor": "a"},
        {"name": "a\nb", "actor": "a"},
        {"name": "x" * 101, "actor": "a"},
        {"name": "beamer", "actor": "a", "colour": "red"},
    ],
)
async def test_what_is_no_topic_is_refused(body: dict[str, str]) -> None:
    brain = FakeBrain()
    async with client(MemoryViews(), brain=brain) as http:
        assert (await http.post(PATH, json=body)).status_code == 422
    assert brain.keys == []
