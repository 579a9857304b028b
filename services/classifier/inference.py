"""Asks the model for a batch: in the event loop when that is short, else in the model's thread."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from services.classifier.domain.labelling import Labeller, Labelling, ModelIdentity
from shared import metrics

# Longer work in the event loop would keep heartbeats and the other partitions waiting.
INLINE_SECONDS = 0.010
# Weight of the latest batch in the running cost of a text.
SMOOTHING = 0.2
ATTEMPTS = 3


class Inference:
    """One model, asked by one caller at a time. `label` and `label_each` keep the order given."""

    def __init__(self, model: Labeller) -> None:
        self._model = model
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._turn = asyncio.Lock()
        self._seconds_per_text = INLINE_SECONDS  # unknown: the first batch goes to the thread

    @property
    def identity(self) -> ModelIdentity:
        return self._model.identity

    async def label(self, texts: Sequence[str]) -> Labelling:
        """Scores for a batch. Whatever the model raises passes through."""
        async with self._turn:
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
