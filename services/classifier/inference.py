"""Asks the model, for all who wait at once: in the event loop when short, else in its thread."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Protocol

from services.classifier.domain.labelling import HeadScores, Labeller, Labelling, ModelIdentity
from shared import metrics
from shared.errors import InvalidEvent

# Longer work in the event loop would keep heartbeats and the other partitions waiting.
INLINE_SECONDS = 0.010
# Weight of the latest batch in the running cost of a text.
SMOOTHING = 0.2
# Texts per call of the model: enough that its cost per call vanishes.
BATCH_TEXTS = 1_000
ATTEMPTS = 3
# Of processes during one text: the first may have been chance, in the second it was alone.
MOST_DEATHS = 2


class Suspected(InvalidEvent):
    """A process ended while the model was asked about one of these texts: ask each alone."""


class Deadly(InvalidEvent):
    """The model does not survive this text; it is not asked about it again."""


class Asked(Protocol):
    """Remembers over the end of a process what the model was asked about meanwhile."""

    @property
    def suspicious(self) -> bool:
        """Is any text known to have been under way when a process ended?"""
        ...

    def deaths(self, text: str) -> int:
        """How many processes ended while the model was asked about `text`."""
        ...

    def begin(self, texts: Sequence[str]) -> None:
        """The model is about to be asked about `texts`."""
        ...

    def end(self) -> None:
        """It answered, or raised."""
        ...


class NotRemembered:
    """Forgets at once: for commands that end with their work anyway."""

    suspicious = False

    def deaths(self, text: str) -> int:
        return 0

    def begin(self, texts: Sequence[str]) -> None:
        pass

    def end(self) -> None:
        pass


@dataclass(eq=False)
class _Request:
    """Texts of one caller, and its answer. alone: shares no call, since it may be the last."""

    texts: Sequence[str]
    alone: bool = False
    answer: asyncio.Future[Labelling] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Inference:
    """One model. Calls that wait at the same time share one call of the model.

    A poll brings a chunk from each of twelve partitions, often of one ticket; a call of a
    scikit-learn pipeline costs a millisecond whether it is for one text or for twenty.

    A call that does not return is for a watchdog to end, with the process: nothing else ends it.
    The texts that were under way are then asked one by one, and one that ends the process again
    is refused, so that its ticket is parked and not read for ever.
    """

    def __init__(self, model: Labeller, asked: Asked | None = None) -> None:
        """`asked` is what is known of former processes; without it nothing is refused."""
        self._model = model
        self._asked = asked or NotRemembered()
        self._asked_at: float | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._waiting: deque[_Request] = deque()
        self._server: asyncio.Task[None] | None = None
        self._seconds_per_text = INLINE_SECONDS  # unknown: the first batch goes to the thread

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    def silence(self) -> float:
        """Seconds since the model was asked, 0 when it is not; from any thread."""
        asked_at = self._asked_at
        return 0.0 if asked_at is None else time.monotonic() - asked_at

    async def label(self, texts: Sequence[str]) -> Labelling:
        """Scores for `texts`, in their order. Whatever the model raises passes through.

        Raises Suspected for several texts of which one may end the process, Deadly for one alone
        that does.
        """
        request = _Request(texts, alone=self._dangerous(texts))
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

    def _dangerous(self, texts: Sequence[str]) -> bool:
        if not self._asked.suspicious:
            return False
        deaths = max(map(self._asked.deaths, texts), default=0)
        if deaths and len(texts) > 1:
            raise Suspected("one of these texts was under way when a process ended")
        if deaths >= MOST_DEATHS:
            raise Deadly(
                f"{deaths} processes ended while the model was asked about this text; "
                "it is not asked again before another model is promoted"
            )
        return deaths > 0

    async def _serve(self) -> None:
        while self._waiting:
            await asyncio.sleep(0)  # who is about to ask in this turn of the loop joins in
            requests = [self._waiting.popleft()]
            texts = len(requests[0].texts)
            while self._waiting and self._join(requests[0], self._waiting[0], texts):
                texts += len(self._waiting[0].texts)
                requests.append(self._waiting.popleft())
            await self._answer(requests)

    @staticmethod
    def _join(first: _Request, other: _Request, texts: int) -> bool:
        """May `other` share the call of `first`, which has so many texts by now?"""
        return not first.alone and not other.alone and texts + len(other.texts) <= BATCH_TEXTS

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
        self._asked.begin(texts)
        self._asked_at = time.monotonic()
        try:
            answer = await self._call(texts)
        except Exception:
            self._asked.end()  # not when cancelled: the call may still be under way
            raise
        finally:
            self._asked_at = None
        self._asked.end()
        taken = time.perf_counter() - started
        metrics.LABEL_SECONDS.observe(taken)
        self._seconds_per_text += SMOOTHING * (taken / len(texts) - self._seconds_per_text)
        return answer

    async def _call(self, texts: Sequence[str]) -> Labelling:
        if self._seconds_per_text * len(texts) < INLINE_SECONDS:
            return self._model.label(texts)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._model.label, texts)


def _fail(request: _Request, error: Exception) -> None:
    if not request.answer.done():
        request.answer.set_exception(error)


def _part(labelling: Labelling, start: int, stop: int) -> Labelling:
    def rows(head: HeadScores) -> HeadScores:
        return HeadScores(head.classes, head.probabilities[start:stop])

    priority = labelling.priority
    scores = None if priority is None else rows(priority)
    return replace(labelling, topic=rows(labelling.topic), priority=scores)
