"""Callers that wait at the same time share a call of the model, and nobody pays for another."""

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.inference import BATCH_TEXTS, Inference


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
