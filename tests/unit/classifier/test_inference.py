"""Callers that wait at the same time share a call of the model, and nobody pays for another."""

import asyncio
import threading
from collections.abc import Sequence

import numpy as np
import pytest

from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.inference import BATCH_TEXTS, Deadly, Inference, Suspected
from tests.deadlines import eventually


class LengthLabeller:
    """Says `long` for texts above three letters; remembers its calls; cannot read `poison`."""

    identity = ModelIdentity("length", "1", "0")

    def __init__(self) -> None:
        self.calls: list[int] = []

    def label(self, texts: Sequence[str]) -> Labelling:
        self.calls.append(len(texts))
        if "poison" in texts:
            raise ValueError("poison")
        rows = np.array([[1, 0] if len(t) <= 3 else [0, 1] for t in texts], np.float32)
        return Labelling(HeadScores(("short", "long"), rows), None)


def topics(labelling: Labelling) -> list[str]:
    head = labelling.topic
    return [head.classes[i] for i in head.probabilities.argmax(axis=1)]


async def test_each_caller_gets_its_own_rows_from_one_call() -> None:
    model = LengthLabeller()
    inference = Inference(model)
    answers = await asyncio.gather(
        inference.label(["a", "abcd"]), inference.label(["abcdef"]), inference.label(["ab"])
    )
    assert [topics(answer) for answer in answers] == [["short", "long"], ["long"], ["short"]]
    assert model.calls == [4]


async def test_a_text_nobody_can_read_fails_only_its_caller() -> None:
    inference = Inference(LengthLabeller())
    good, bad, other = await asyncio.gather(
        inference.label(["a"]),
        inference.label(["poison"]),
        inference.label(["abcd"]),
        return_exceptions=True,
    )
    assert isinstance(bad, ValueError)
    assert isinstance(good, Labelling)
    assert isinstance(other, Labelling)
    assert (topics(good), topics(other)) == (["short"], ["long"])


async def test_no_call_is_larger_than_a_batch() -> None:
    model = LengthLabeller()
    inference = Inference(model)
    texts = ["a"] * (BATCH_TEXTS // 2)
    await asyncio.gather(*(inference.label(texts) for _ in range(5)))
    assert max(model.calls) <= BATCH_TEXTS
    assert sum(model.calls) == 5 * len(texts)


async def test_asking_text_by_text_says_which_one_fails() -> None:
    inference = Inference(LengthLabeller())
    first, second = await inference.label_each(["a", "poison"])
    assert isinstance(first, Labelling)
    with pytest.raises(ValueError, match="poison"):
        raise second  # type: ignore[misc]


class Remembered:
    """Deaths by text, as a former process left them; what was asked since."""

    def __init__(self, **deaths: int) -> None:
        self.known = deaths
        self.asked: list[list[str]] = []
        self.ended = 0

    @property
    def suspicious(self) -> bool:
        return bool(self.known)

    def deaths(self, text: str) -> int:
        return self.known.get(text, 0)

    def begin(self, texts: Sequence[str]) -> None:
        self.asked.append(list(texts))

    def end(self) -> None:
        self.ended += 1


async def test_a_suspected_text_is_asked_alone() -> None:
    model, asked = LengthLabeller(), Remembered(b=1)
    inference = Inference(model, asked)
    with pytest.raises(Suspected):
        await inference.label(["a", "b"])
    assert model.calls == []
    await asyncio.gather(*(inference.label([text]) for text in ("a", "b", "c", "d")))
    assert asked.asked == [["a"], ["b"], ["c", "d"]]
    assert asked.ended == 3


async def test_a_text_that_ended_two_processes_is_not_asked_again() -> None:
    model = LengthLabeller()
    inference = Inference(model, Remembered(b=2))
    first, second = await inference.label_each(["a", "b"])
    assert isinstance(first, Labelling)
    assert isinstance(second, Deadly)
    assert model.calls == [1]


async def test_an_exception_is_an_answer() -> None:
    asked = Remembered()
    inference = Inference(LengthLabeller(), asked)
    with pytest.raises(ValueError, match="poison"):
        await inference.label(["poison"])
    assert asked.ended == len(asked.asked) == 1
    assert inference.silence() == 0


class HangingLabeller(LengthLabeller):
    """Answers once it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.released = threading.Event(), threading.Event()

    def label(self, texts: Sequence[str]) -> Labelling:
        self.asked.set()
        assert self.released.wait(60)
        return super().label(texts)


async def test_a_call_that_does_not_return_is_seen_from_outside() -> None:
    model, asked = HangingLabeller(), Remembered()
    inference = Inference(model, asked)
    assert inference.silence() == 0
    call = asyncio.create_task(inference.label(["a"]))
    await asyncio.to_thread(model.asked.wait, 60)
    await eventually(lambda: inference.silence() > 0)
    assert (asked.asked, asked.ended) == ([["a"]], 0)
    model.released.set()
    await call
    assert (inference.silence(), asked.ended) == (0, 1)
