"""The model that serves while it learns: what arrives during a refit is neither late nor lost."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn

import pytest

from services.classifier.domain.log_records import LogRecord, Place
from services.classifier.learning import (
    LEARNED_TWICE,
    REFITS_BETWEEN_SNAPSHOTS,
    LearningLabeller,
)
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from shared import metrics
from shared.events import CorrectionLogEvent, RefitDue
from tests.builders import NOON, a_correction

Base = Callable[[], FastLabeller]


class HeldFold(Fold):
    """A fold whose refits wait until they are let go."""

    gate = threading.Event()

    def fork(self) -> Fold:
        twin = super().fork()
        twin.refit = self._late(twin.refit)  # type: ignore[method-assign]
        return twin

    def _late(self, refit: Callable[[], bool]) -> Callable[[], bool]:
        def held() -> bool:
            assert self.gate.wait(60)
            return refit()

        return held


@pytest.fixture
def held(base: Base) -> Iterator[HeldFold]:
    HeldFold.gate.clear()
    yield HeldFold(base)
    HeldFold.gate.set()


def nothing(_: Fold) -> None:
    """Saves nothing."""


def correction(number: int, text: str, topic: str) -> CorrectionLogEvent:
    return a_correction(event_id=f"c-{number}", topic=topic, body=text)


def mark(number: int) -> RefitDue:
    return RefitDue(event_id=f"r-{number}", received_at=NOON)


def numbered(events: Sequence[CorrectionLogEvent]) -> list[LogRecord]:
    return [LogRecord(offset, event) for offset, event in enumerate(events)]


LOG = numbered(
    [
        correction(1, "the projector is dark", "projector"),
        mark(1),
        correction(2, "no coffee left", "coffee"),
        mark(2),
        correction(3, "the beamer is dark", "projector"),
        correction(4, "tunnel closed", "net"),
    ]
)


def answer(model: LearningLabeller, text: str) -> str:
    scores = model.label([text]).topic
    return scores.classes[int(scores.probabilities[0].argmax())]


def one_by_one(fold: Fold) -> Fold:
    for record in LOG:
        if fold.apply(record) == "refit":
            fold.refit()
    return fold


def test_a_correction_during_a_refit_is_answered_before_it_ends(held: HeldFold) -> None:
    model = LearningLabeller(held, nothing)
    model.apply(LOG[:2])
    model.apply(LOG[2:])
    assert model.fold is held
    assert answer(model, "no coffee left") == "coffee"
    held.gate.set()
    model.settle()
    assert answer(model, "no coffee left") == "coffee"


def test_the_end_is_as_if_the_log_had_waited_for_each_refit(base: Base, held: HeldFold) -> None:
    model = LearningLabeller(held, nothing)
    model.apply(LOG)
    held.gate.set()
    model.settle()
    assert model.fold.digest() == one_by_one(Fold(base)).digest()
    assert model.identity.log_offset == len(LOG)


@pytest.mark.parametrize("size", [1, 2, 3, 6])
def test_two_workers_agree_however_they_poll(base: Base, size: int) -> None:
    model = LearningLabeller(Fold(base), nothing)
    for start in range(0, len(LOG), size):
        model.apply(LOG[start : start + size])
    model.settle()
    assert model.fold.digest() == one_by_one(Fold(base)).digest()


def test_the_digest_is_published_with_its_offset(fold: Fold) -> None:
    model = LearningLabeller(fold, nothing)
    model.apply(LOG)
    model.settle()
    assert metrics.FOLD_OFFSET._value.get() == len(LOG)
    assert metrics.FOLD_DIGEST._value.get() == int(model.fold.digest()[:13], 16)


def test_every_few_refits_are_saved_as_of_their_offset(fold: Fold) -> None:
    saved: list[int] = []
    model = LearningLabeller(fold, lambda kept: saved.append(kept.offset))
    offset = 0
    for number in range(2 * REFITS_BETWEEN_SNAPSHOTS):
        pair = [correction(number, f"lamp {number}", "lamp"), mark(number)]
        model.apply([LogRecord(offset + at, event) for at, event in enumerate(pair)])
        model.settle()
        offset += 2
    assert saved == [2 * REFITS_BETWEEN_SNAPSHOTS, 4 * REFITS_BETWEEN_SNAPSHOTS]


def test_a_full_disk_does_not_end_learning(fold: Fold) -> None:
    def full(_: Fold) -> NoReturn:
        raise OSError(28, "no space left")

    model = LearningLabeller(fold, full)
    for number in range(REFITS_BETWEEN_SNAPSHOTS):
        pair = [correction(number, f"lamp {number}", "lamp"), mark(number)]
        model.apply([LogRecord(2 * number + at, event) for at, event in enumerate(pair)])
        model.settle()
    assert answer(model, "lamp 1") == "lamp"


def test_a_refit_that_fails_leaves_the_instant_step(base: Base) -> None:
    class Failing(Fold):
        def fork(self) -> Fold:
            twin = super().fork()
            twin.refit = _broken  # type: ignore[method-assign]
            return twin

    model = LearningLabeller(Failing(base), nothing)
    model.apply(LOG[:3])
    model.settle()
    assert answer(model, "the projector is dark") == "projector"
    assert answer(model, "no coffee left") == "coffee"


def _broken() -> NoReturn:
    raise MemoryError("no room for the refit")


def test_labels_carry_the_offset_they_were_given_at(fold: Fold) -> None:
    model = LearningLabeller(fold, nothing)
    before = model.label(["x"]).model
    model.apply(LOG[:1])
    after = model.label(["x"]).model
    assert before is not None
    assert after is not None
    assert (before.log_offset, after.log_offset) == (0, 1)
    assert before.digest == after.digest


def test_thresholds_are_for_the_precision_this_deployment_wants(base: Base, fold: Fold) -> None:
    model = LearningLabeller(fold, nothing, target=0.8)
    assert model.judgement.budget.target == 0.8
    model.resume(Fold(base), 0)
    assert model.judgement.budget.target == 0.8


def test_quality_is_published_as_of_the_same_offset(fold: Fold) -> None:
    model = LearningLabeller(fold, nothing)
    model.apply(LOG)
    model.settle()
    assert metrics.JUDGED._value.get() == 4
    accuracy = metrics.PREQUENTIAL.labels("accuracy")._value.get()
    assert accuracy == model.judgement.quality.now().accuracy


@pytest.mark.parametrize("size", [1, 2, 6])
def test_two_workers_have_the_same_quality_and_thresholds(base: Base, size: int) -> None:
    model = LearningLabeller(Fold(base), nothing)
    for start in range(0, len(LOG), size):
        model.apply(LOG[start : start + size])
    model.settle()
    other = one_by_one(Fold(base)).judgement
    assert model.judgement.state() == other.state()
    assert model.judgement.budget == other.budget


def test_catching_up_waits_for_each_refit_but_the_last(base: Base) -> None:
    model = LearningLabeller(Fold(base), nothing)
    assert model.resume(None, len(LOG)) == Place()
    model.apply(LOG)
    model.settle()
    assert model.fold.digest() == one_by_one(Fold(base)).digest()


@pytest.mark.parametrize(("beyond", "times"), [(LEARNED_TWICE, 1), (0, 2)])
def test_far_from_the_end_of_the_log_nothing_is_learned_beside_a_refit(
    base: Base, monkeypatch: pytest.MonkeyPatch, beyond: int, times: int
) -> None:
    applied: list[int] = []
    inner = Fold.apply

    def counted(fold: Fold, record: LogRecord) -> str:
        applied.append(record.offset)
        return inner(fold, record)

    class Waited(LearningLabeller):
        def settle(self) -> None:
            HeldFold.gate.set()  # let go when somebody waits for it
            super().settle()

    monkeypatch.setattr(Fold, "apply", counted)
    monkeypatch.setattr(HeldFold, "gate", threading.Event())
    model = Waited(HeldFold(base), nothing)
    model.resume(None, len(LOG) + beyond)
    model.apply(LOG[:3])
    model.settle()
    assert applied.count(2) == times
    model.apply(LOG[3:])
    model.settle()
    assert model.fold.digest() == one_by_one(Fold(base)).digest()


def test_the_last_refit_of_the_log_keeps_no_one_waiting(held: HeldFold) -> None:
    model = LearningLabeller(held, nothing)
    model.resume(None, 3)
    model.apply(LOG[:3])
    assert (model.settled, model.identity.log_offset) == (False, 3)
    assert answer(model, "no coffee left") == "coffee"
    held.gate.set()
    model.settle()
    assert model.settled


def test_nothing_is_settled_while_a_refit_that_is_due_is_prepared(base: Base) -> None:
    seen: list[tuple[bool, int]] = []

    class Watched(Fold):
        def fork(self) -> Fold:
            seen.append((model.settled, model.identity.log_offset))
            return super().fork()

    model = LearningLabeller(Watched(base), nothing)
    model.apply(LOG[:2])
    assert seen == [(False, 2)]
    model.settle()
    assert model.settled
