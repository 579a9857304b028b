"""A head with experts: answers as its fast half does, learns in both, and forgets in both."""

import numpy as np
import pytest

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.semantic.heads import CascadedHead
from shared.events import (
    CorrectionLogEvent,
    CorrectionsUndone,
    LearningReset,
    RefitDue,
    TopicCreated,
)
from tests.builders import NOON, a_correction

Desk = tuple[list[str], list[str]]
STUCK = ("the elevator is stuck", "elevator doors do not open", "stuck in the elevator")


@pytest.fixture
def plain(desk: Desk, bag_encoder: Encoder) -> TextHead:
    head = TextHead(encoder=bag_encoder)
    head.fit(*desk)
    return head


@pytest.fixture
def head(plain: TextHead, bag_encoder: Encoder) -> CascadedHead:
    return CascadedHead.over(plain, encoder=bag_encoder)


def best(head: CascadedHead, *texts: str) -> list[str]:
    found = head.second_look(texts)
    return [found.classes[column] for column in found.probabilities.argmax(axis=1).tolist()]


def looks(head: CascadedHead, texts: list[str]) -> tuple[bytes, bytes]:
    found = head.second_look(texts)
    return found.probabilities.tobytes(), found.novelty.tobytes()


def test_its_fast_half_is_the_head_it_was_made_of(
    head: CascadedHead, plain: TextHead, desk: Desk
) -> None:
    for each in (head, plain):
        each.correct(STUCK[0], "building")
        each.refit()
    assert np.array_equal(head.predict_proba(desk[0]), plain.predict_proba(desk[0]))
    assert head.digest(desk[0][:5]) == plain.digest(desk[0][:5])


def test_a_second_look_is_right(head: CascadedHead, desk: Desk) -> None:
    assert np.mean([a == b for a, b in zip(best(head, *desk[0]), desk[1], strict=True)]) > 0.95


def test_corrections_reach_both_halves(head: CascadedHead, desk: Desk) -> None:
    for text in STUCK:
        head.correct(text, "building")
    for _ in range(2):
        found = best(head, "elevator stuck", *desk[0][:40])
        assert found[0] == "building"
        assert np.mean([a == b for a, b in zip(found[1:], desk[1], strict=False)]) > 0.9
        head.refit()


def test_the_same_lessons_give_the_same_bits_whatever_was_asked(
    head: CascadedHead, plain: TextHead, desk: Desk, bag_encoder: Encoder
) -> None:
    twin = CascadedHead.over(plain, encoder=bag_encoder)
    for each in (head, twin):
        each.add_class("building", "elevators and doors")
        if each is twin:
            each.second_look(desk[0][:30])
        each.correct(STUCK[0], "building")
        each.refit()
        each.correct(STUCK[1], "building")
    assert looks(head, desk[0]) == looks(twin, desk[0])


def test_of_texts_taken_back_no_vectors_are_kept(head: CascadedHead) -> None:
    for text in STUCK:
        head.correct(text, "building")
    head.refit()
    assert set(STUCK) <= head.experts._vectors.keys()
    head.withdraw(STUCK[0])
    head.refit()
    assert head.experts._vectors.keys() & set(STUCK) == set(STUCK[1:])


def test_a_copy_learns_on_its_own(head: CascadedHead, desk: Desk) -> None:
    before = looks(head, desk[0])
    twin = head.fork()
    assert looks(twin, desk[0]) == before
    twin.correct(STUCK[0], "building")
    twin.refit()
    assert looks(head, desk[0]) == before
    assert best(twin, STUCK[0]) == ["building"]


def test_a_head_loaded_from_a_snapshot_answers_alike(
    head: CascadedHead, plain: TextHead, desk: Desk, bag_encoder: Encoder
) -> None:
    trained = CascadedHead.over(plain, encoder=bag_encoder).experts
    head.correct(STUCK[0], "building")
    head.refit()
    saved = TextHead.from_state(head.state(), bag_encoder)
    loaded = CascadedHead.over(saved, encoder=bag_encoder, trained=trained)
    assert looks(loaded, desk[0]) == looks(head, desk[0])


def test_strange_texts_are_novel(head: CascadedHead, desk: Desk) -> None:
    usual = head.second_look(desk[0]).novelty
    assert head.second_look(["qwertz uiop"]).novelty[0] > np.quantile(usual, 0.9)


def test_a_text_of_nothing_keeps_the_fast_answer(head: CascadedHead) -> None:
    look = head.second_look([""])
    assert np.array_equal(look.probabilities, head.predict_proba([""]))
    assert not look.vectors.any()


def test_a_topic_without_examples_goes_by_its_description(head: CascadedHead) -> None:
    head.add_class("K7", "elevators and their doors")
    assert best(head, "elevators and doors") == ["K7"]


def test_the_fold_moves_the_experts_too(plain: TextHead, bag_encoder: Encoder, desk: Desk) -> None:
    def base() -> FastLabeller:
        topic = CascadedHead.over(plain, encoder=bag_encoder)
        return FastLabeller(topic, None, ModelIdentity("fast", "1", "d"))

    def head() -> CascadedHead:
        assert isinstance(fold.topic, CascadedHead)
        return fold.topic

    fold = Fold(base)
    untouched = looks(head(), desk[0])
    events: list[CorrectionLogEvent] = [
        TopicCreated(event_id="t", received_at=NOON, actor="kim", name="K7", description="lifts"),
        a_correction(event_id="c", topic="building", body=STUCK[0]),
        RefitDue(event_id="r", received_at=NOON),
    ]
    for offset, event in enumerate(events):
        outcome = fold.apply(LogRecord(offset, event))
    assert outcome == "refit"
    fold = fold.fork()
    fold.refit()
    assert best(head(), STUCK[0]) == ["building"]

    undo = CorrectionsUndone(event_id="u", received_at=NOON, actor="kim", correction="c")
    assert fold.apply(LogRecord(3, undo)) == "refit"
    fold.refit()
    assert best(head(), STUCK[0]) != ["building"]

    fold.apply(LogRecord(4, LearningReset(event_id="x", received_at=NOON, actor="kim")))
    assert looks(head(), desk[0]) == untouched
