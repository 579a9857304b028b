"""The internal port: what a label is worth, how good labels are, and why one was given."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import numpy as np
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.domain.log_records import LogRecord
from services.classifier.inference import Inference
from services.classifier.learning import LearningLabeller
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.routes import learning_router, quality_router, router
from shared.events import CorrectionLogEvent, RefitDue
from shared.http.problems import install
from tests.builders import NOON, a_correction

Base = Callable[[], FastLabeller]


def nothing(_: Fold) -> None:
    """Saves nothing."""


@pytest.fixture
def learning(base: Base) -> LearningLabeller:
    return LearningLabeller(Fold(base), nothing)


def served(learning: LearningLabeller, *, shadow: bool = False) -> AsyncClient:
    app = FastAPI()
    install(app)
    app.include_router(router(Inference(learning), shadow=shadow))
    app.include_router(quality_router(learning, shadow=shadow))
    app.include_router(learning_router(learning))
    return AsyncClient(transport=ASGITransport(app), base_url="http://classifier")


def taught(learning: LearningLabeller, corrections: int) -> None:
    """Corrections of tickets that the model answers wrongly, then a refit."""
    events: list[CorrectionLogEvent] = [
        a_correction(
            event_id=f"c-{n}",
            topic="beamer",
            body=f"lamp {n}",
            received_at=NOON + timedelta(minutes=n),
        )
        for n in range(corrections)
    ]
    mark = RefitDue(event_id="r", received_at=NOON)
    learning.apply([LogRecord(at, event) for at, event in enumerate([*events, mark])])
    learning.settle()


@pytest.mark.parametrize(("shadow", "decision"), [(False, "suggested"), (True, "shadow")])
async def test_a_single_label_says_what_it_is_worth(
    learning: LearningLabeller, shadow: bool, decision: str
) -> None:
    answer = (
        await served(learning, shadow=shadow).post("/classify", json={"body": "vpn drops"})
    ).json()
    assert (answer["topic"], answer["decision"]) == ("net", decision)
    assert answer["threshold"] is None, "so small a hold-out grants nothing"


class Torn:
    """A Labeller sure that it is about billing, and not of what."""

    identity = ModelIdentity("torn", "1", "d")

    def label(self, texts: Sequence[str]) -> Labelling:
        classes = ("billing/fee", "billing/refund", "net")
        row = np.array([[0.5, 0.45, 0.05]], np.float32).repeat(len(texts), axis=0)
        return Labelling(HeadScores(classes, row), None, thresholds=np.full(3, 0.9, np.float32))


async def test_an_unsure_leaf_is_answered_by_its_sure_parent_as_the_pipeline_does() -> None:
    app = FastAPI()
    app.include_router(router(Inference(Torn())))
    client = AsyncClient(transport=ASGITransport(app), base_url="http://classifier")
    answer = (await client.post("/classify", json={"body": "the money"})).json()
    assert (answer["topic"], answer["decision"]) == ("billing", "applied")
    assert answer["topic_scores"]["billing"] == pytest.approx(0.95, abs=1e-3)
    assert answer["threshold"] == pytest.approx(0.9)
    assert (answer["priority"], answer["priority_scores"]) == (None, {})


async def test_quality_tells_what_was_answered_before_it_was_learned(
    learning: LearningLabeller,
) -> None:
    taught(learning, 5)
    told = (await served(learning).get("/quality")).json()
    assert (told["judged"], told["window"]["tickets"], told["log_offset"]) == (5, 5, 6)
    assert told["window"]["accuracy"] < told["window"]["majority_accuracy"] == 1.0
    assert [batch["log_offset"] for batch in told["batches"]] == [6]
    assert "beamer" in {topic["topic"] for topic in told["topics"]}


async def test_quality_of_a_topic_and_a_period(learning: LearningLabeller) -> None:
    taught(learning, 5)
    later = {"topic": "beamer", "start": "2026-03-03T00:00:00Z"}
    told = (await served(learning).get("/quality", params=later)).json()
    assert [topic["topic"] for topic in told["topics"]] == ["beamer"]
    assert told["batches"] == []


@pytest.mark.parametrize("query", [{"start": "yesterday"}, {"colour": "red"}])
async def test_a_question_about_quality_that_cannot_be_answered(
    learning: LearningLabeller, query: dict[str, str]
) -> None:
    assert (await served(learning).get("/quality", params=query)).status_code == 422


async def test_words_that_speak_for_a_topic(learning: LearningLabeller) -> None:
    page = {
        "tickets": [
            {"subject": "help", "body": "the vpn drops", "topic": "net"},
            {"body": "the vpn drops", "topic": "no such topic"},
            {"body": "", "topic": "net"},
        ]
    }
    answer = await served(learning).post("/explain", json=page)
    [first, unknown, empty] = answer.json()["explanations"]
    assert {"vpn", "drops"} <= {each["term"] for each in first}
    assert first[0]["weight"] == max(each["weight"] for each in first) > 0
    assert unknown is None
    assert empty == []


async def test_too_many_tickets_to_explain(learning: LearningLabeller) -> None:
    page = {"tickets": [{"body": "x", "topic": "net"}] * 201}
    assert (await served(learning).post("/explain", json=page)).status_code == 422
