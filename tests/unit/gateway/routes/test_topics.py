"""GET and POST /api/v1/topics, and what becomes of proposals."""

import pytest

from services.gateway.adapters.memory_views import MemoryViews
from tests.unit.gateway.builders import client
from tests.unit.gateway.fake_brain import FakeBrain, a_proposal

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


async def test_what_emerges_is_listed_beside_what_is_known() -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        listed = (await http.get(PATH)).json()
    assert [topic["name"] for topic in listed["topics"]] == ["vpn", "wifi"]
    assert [found["id"] for found in listed["emerging"]] == ["p-1"]
    assert listed["emerging"][0]["examples"][0]["ticket_id"] == "T-0"
    assert listed["emerging_unavailable"] is None


async def test_the_known_are_answered_without_the_semantic_worker() -> None:
    brain = FakeBrain([a_proposal()])
    brain.semantic_outage = "the semantic worker does not answer"
    async with client(MemoryViews(), brain=brain) as http:
        answer = await http.get(PATH)
        listed = answer.json()
        accepted = await http.post(
            f"{PATH}/proposals/p-1/accept", json={"name": "beamer", "actor": "kim"}
        )
    assert answer.status_code == 200
    assert len(listed["topics"]) == 2
    assert listed["emerging"] is None
    assert listed["emerging_unavailable"] == "the semantic worker does not answer"
    assert accepted.status_code == 503
    assert brain.corrections == {}


async def test_accepting_names_the_topic_and_corrects_the_examples() -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        body = {"name": "beamer", "actor": "kim", "description": "projectors"}
        answer = await http.post(f"{PATH}/proposals/p-1/accept", json=body)
        assert (answer.status_code, answer.json()) == (202, {"proposal": "p-1", "name": "beamer"})
        assert (await http.get(PATH)).json()["emerging"] == []
        written = dict(brain.corrections)
        again = await http.post(f"{PATH}/proposals/p-1/accept", json=body)
        assert (again.status_code, again.json()) == (202, answer.json())
    assert brain.known["beamer"] == "projectors"
    assert {each["ticket_id"] for each in written.values()} == {f"T-{n}" for n in range(8)}
    assert {each["topic"] for each in written.values()} == {"beamer"}
    assert {each["actor"] for each in written.values()} == {"kim"}
    assert brain.corrections == written


async def test_what_failed_half_way_is_repeated_without_counting_twice() -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        path, body = f"{PATH}/proposals/p-1/accept", {"name": "beamer", "actor": "kim"}
        brain.correction_outage = "Kafka is away"
        assert (await http.post(path, json=body)).status_code == 503
        brain.correction_outage = None
        assert (await http.post(path, json=body)).status_code == 202
    assert len(brain.corrections) == 8
    assert len(set(brain.named)) == 1


async def test_a_known_topic_takes_the_examples_and_keeps_its_description() -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        body = {"name": "wifi", "actor": "kim"}
        answer = await http.post(f"{PATH}/proposals/p-1/accept", json=body)
    assert answer.status_code == 202
    assert brain.known["wifi"] == "wireless networks"
    assert len(brain.corrections) == 8


async def test_what_a_human_has_labelled_since_keeps_its_label() -> None:
    brain = FakeBrain([a_proposal(labelled=("T-3",))])
    async with client(MemoryViews(), brain=brain) as http:
        body = {"name": "beamer", "actor": "kim"}
        await http.post(f"{PATH}/proposals/p-1/accept", json=body)
    assert "T-3" not in {each["ticket_id"] for each in brain.corrections.values()}


async def test_a_batch_model_learns_the_name_all_the_same() -> None:
    brain = FakeBrain([a_proposal()])
    brain.batch = True
    async with client(MemoryViews(), brain=brain) as http:
        body = {"name": "beamer", "actor": "kim"}
        answer = await http.post(f"{PATH}/proposals/p-1/accept", json=body)
    assert answer.status_code == 202
    assert "beamer" in brain.known


async def test_dismissing_is_for_good_and_may_be_repeated() -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        for _ in range(2):
            answer = await http.post(f"{PATH}/proposals/p-1/dismiss", json={"actor": "kim"})
            assert (answer.status_code, answer.json()) == (202, {"proposal": "p-1"})
        assert (await http.get(PATH)).json()["emerging"] == []
    assert brain.corrections == {}


@pytest.mark.parametrize(
    ("path", "body"),
    [("accept", {"name": "beamer", "actor": "kim"}), ("dismiss", {"actor": "kim"})],
)
async def test_an_unknown_proposal_is_not_found(path: str, body: dict[str, str]) -> None:
    async with client(MemoryViews(), brain=FakeBrain([a_proposal()])) as http:
        answer = await http.post(f"{PATH}/proposals/p-2/{path}", json=body)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert "p-2" in answer.json()["detail"]


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("accept", {"name": "beamer"}, "/actor"),
        ("accept", {"actor": "kim"}, "/name"),
        ("accept", {"name": "a\x85b", "actor": "kim"}, "/name"),
        ("accept", {"name": "x" * 101, "actor": "kim"}, "/name"),
        ("accept", {"name": "x", "actor": "kim", "description": "d" * 1_001}, "/description"),
        ("accept", {"name": "x", "actor": "kim", "colour": "red"}, "/colour"),
        ("dismiss", {}, "/actor"),
        ("dismiss", {"actor": ""}, "/actor"),
    ],
)
async def test_what_is_no_word_on_a_proposal_is_refused(
    path: str, body: dict[str, str], pointer: str
) -> None:
    brain = FakeBrain([a_proposal()])
    async with client(MemoryViews(), brain=brain) as http:
        answer = await http.post(f"{PATH}/proposals/p-1/{path}", json=body)
    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert brain.corrections == {}
