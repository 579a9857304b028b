"""Asks the model, for all who wait at once: in the event loop when short, else in its thread."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from services.classifier.domain.labelling import HeadScores, Labeller, Labelling, ModelIdentity
from shared import metrics

# Longer work in the event loop would keep heartbeats and the other partitions waiting.
INLINE_SECONDS = 0.010
# Weight of the latest batch in the running cost of a text.
SMOOTHING = 0.2
# Texts per call of the model: enough that its cost per call vanishes.
BATCH_TEXTS = 1_000
ATTEMPTS = 3


@dataclass(eq=False)
class _Request:
    """Texts of one caller, and its answer."""

    texts: Sequence[str]
    answer: asyncio.Future[Labelling] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Inference:
    """One model. Calls that wait at the same time share one call of the model.

    A poll brings a chunk from each of twelve partitions, often of one ticket; a call of a
    scikit-learn pipeline costs a millisecond whether it is for one text or for twenty.
    """

    def __init__(self, model: Labeller) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._waiting: deque[_Request] = deque()
        self._server: asyncio.Task[None] | None = None
        self._seconds_per_text = INLINE_SECONDS  # unknown: the first batch goes to the thread

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    async def label(self, texts: Sequence[str]) -> Labelling:
        """Scores for `texts`, in their order. Whatever the model raises passes through."""
        request = _Request(texts)
        self._waiting.append(request)
        if self._server is None or self._server.done():
            self._server = asyncio.create_task(self._serve())
        return await request.answer

    async def label_each(self, texts: Sequence[str]) -> list[Labelling | Exception]:
        """One answer or the last error per text, for a batch that failed as a whole."""
        return [await self._attempt(text) for text in texts]

    async def _attempt(self, text: str) -> Labelling | Exception:
        failure: Exception = RuntimeError("never attempted")
        for _ in range(ATTEMPTS):
            try:
                return await self.label([text])
            except Exception as error:  # noqa: BLE001 - parked with its reason by the caller
                failure = error
        return failure

    async def _serve(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # who is about to ask in this turn of the loop joins in
            requests = [self._waiting.popleft()]
            texts = len(requests[0].texts)
            while self._waiting and texts + len(self._waiting[0].texts) <= BATCH_TEXTS:
                texts += len(self._waiting[0].texts)
                requests.append(self._waiting.popleft())
            await self._answer(requests)

    async def _answer(self, requests: Sequence[_Request]) -> None:
        try:
            labelling = await self._ask([text for each in requests for text in each.texts])
        except Exception as error:  # noqa: BLE001 - handed to the caller it belongs to
            if len(requests) == 1:
                _fail(requests[0], error)
            else:
                # One caller's text must not fail the others' tickets.
                for each in requests:
                    await self._answer([each])
            return
        start = 0
        for each in requests:
            stop = start + len(each.texts)
            if not each.answer.done():
                each.answer.set_result(_part(labelling, start, stop))
            start = stop

    async def _ask(self, texts: Sequence[str]) -> Labelling:
        started = time.perf_counter()
        if self._seconds_per_text * len(texts) < INLINE_SECONDS:
            answer = self._model.label(texts)
        else:
            loop = asyncio.get_running_loop()
            answer = await loop.run_in_executor(self._thread, self._model.label, texts)
        taken = time.perf_counter() - started
        metrics.LABEL_SECONDS.observe(taken)
        self._seconds_per_text += SMOOTHING * (taken / len(texts) - self._seconds_per_text)
        return answer


def _fail(request: _Request, error: Exception) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)


def _part(labelling: Labelling, start: int, stop: int) -> Labelling:
    def rows(head: HeadScores) -> HeadScores:
        return HeadScores(head.classes, head.probabilities[start:stop])

    priority = labelling.priority
    scores = None if priority is None else rows(priority)
    return Labelling(rows(labelling.topic), scores, labelling.model)
