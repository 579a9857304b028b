"""One head of the serving model: a FastClassifier that can be saved, loaded, copied and probed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.error_budget import Calibration
from services.classifier.domain.labelling import Probabilities
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.classifier import FastClassifier
from services.classifier.models.fast.guard import Guard
from services.classifier.models.fast.tuning import Scale
from services.classifier.models.lexical.linear import LinearHead
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.words.rows import WordRows

_WARM_EPOCHS: Final = 1
# At full pace an epoch more than was found best costs old topics .3 points.
_WARM_RATE: Final = 1.0


class TextHead(FastClassifier):
    """Topic or priority. A loaded or copied head answers and learns bit for bit like its source."""

    def __init__(self, *, seed: int = 0, encoder: Encoder | None = None) -> None:
        super().__init__(seed=seed, encoder=encoder)
        self._encoder = encoder
        self._origin: LinearHead | None = None
        self._calibration = Calibration()

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """As FastClassifier's; keeps what it answered to texts before it learned them."""
        super().fit(texts, labels)
        self._origin = self._head.fork() if self._memory.thinned else None
        self._calibration = Calibration.of(self.classes, self.held_out_answers())

    def state(self) -> dict[str, Any]:
        """Plain values and arrays: all that predicting and learning on need."""
        words = self._words
        return {
            "seed": self._seed,
            "epochs": self._epochs,
            "scale": [
                self._scale.share, self._scale.factor, self._scale.mean, self._scale.deviation,
            ],
            "classes": list(self._head.classes),
            "head": self._head.state(),
            "origin": self._origin_state(),
            "vocabulary": {
                "hashes": self._vocabulary.hashes(),
                "frequencies": self._vocabulary.frequencies(),
                "documents": self._vocabulary.documents,
                "idf": self._vocabulary.idf(),
            },
            "table": self._table.state() if words and self._table else None,
            "words": words.state() if words else None,
            "memory": self._memory.state(),
            "guard": self._guard.state(),
            "calibration": self.calibration.state(),
        }  # fmt: skip

    @classmethod
    def from_state(cls, state: Mapping[str, Any], encoder: Encoder | None = None) -> "TextHead":
        """The head that `state` described. Raises LookupError or ValueError when it is none."""
        head = cls(seed=int(state["seed"]), encoder=encoder if state["words"] else None)
        if head._table is not None:
            head._table.restore(state["table"])
        head._take(state)
        return head

    def fork(self) -> "TextHead":
        """A head of its own, sharing the encoded words, which never change, and the weights until
        one of the two learns."""
        twin = TextHead(seed=self._seed, encoder=self._encoder)
        twin._table, twin._scale, twin._epochs = self._table, self._scale, self._epochs
        twin._head, twin._vocabulary = self._head.fork(), self._vocabulary.fork()
        twin._origin = self._origin.fork() if self._origin else None
        twin._words = self._words.fork() if self._words else None
        twin._memory = self._memory.copy()
        twin._guard, twin._calibration = self._guard, self._calibration
        twin.refused_refits = self.refused_refits
        return twin

    def add_class(self, label: str, description: str = "") -> None:
        """Name a class that has no example yet; nothing happens when it is known.

        A description says nothing to n-grams; heads that read it build on this one.
        """
        del description
        self._column(label)

    @property
    def corrections(self) -> dict[str, str]:
        """The corrected texts that refits learn from, with their labels."""
        return self._memory.corrections

    @property
    def remembered(self) -> list[tuple[str, str]]:
        """What is left of the texts it was trained on, with their labels."""
        return self._memory.uncorrected

    def fit_corrected(
        self, texts: Sequence[str], labels: Sequence[str], corrected: Mapping[str, str]
    ) -> None:
        """As `fit`, of these and of corrected texts, which can be withdrawn afterwards.

        A text that was corrected has the label of its correction, whatever `labels` says.
        """
        kept = [i for i, text in enumerate(texts) if text not in corrected]
        self.fit(
            [*(texts[i] for i in kept), *corrected],
            [*(labels[i] for i in kept), *corrected.values()],
        )
        # What the guard judges by is never learned from, a correction or not.
        shown = corrected.keys() - set(self._guard.texts)
        pairs = [(text, label) for text, label in corrected.items() if text in shown]
        self._memory.count_as_corrections(
            [text for text, _ in pairs], [label for _, label in pairs]
        )

    def sharpen(self, by: float) -> None:
        """Multiply every logit: probabilities change, their order does not."""
        old = self._scale
        self._scale = Scale(old.share, old.factor * by, old.mean * by, old.deviation * by)
        self.held_out = replace(self.held_out, logits=self.held_out.logits * np.float32(by))
        self._calibration = Calibration.of(self.classes, self.held_out_answers())

    def held_out_answers(self) -> tuple[tuple[str, ...], Probabilities] | None:
        """Labels and answers of rows not yet learned when `fit` answered them; None without any."""
        held = self.held_out
        if not len(held.rows):
            return None
        classes = sorted(self._head.classes)
        labels = tuple(classes[column] for column in held.labels.tolist())
        return labels, normalise(held.logits, len(classes), 1.0)

    @property
    def calibration(self) -> Calibration:
        """The same reduced to what an error budget needs; kept when the head is saved."""
        return self._calibration

    def answer(self, text: str) -> tuple[str, float]:
        """The likeliest class and its probability."""
        [row] = self.predict_proba([text])
        best = int(row.argmax())
        return self._head.classes[best], float(row[best])

    def digest(self, probes: Sequence[str]) -> str:
        """Digest of the classes and of the bits answered to `probes`."""
        answers = self.predict_proba(probes)
        return digest_of({"classes": list(self.classes), "answers": np.asarray(answers)})

    def _relearned(
        self,
        texts: Sequence[str],
        targets: NDArray[np.int32],
        order: NDArray[np.int64],
        classes: list[str],
    ) -> LinearHead:
        """As FastClassifier's; where the memory is but a sample, one pass from the trained weights.

        Fitted from nothing, a head would forget what the memory had no room for. Fitted on from the
        last refit, it would not forget what was taken back since.
        """
        if self._origin is None:
            return super()._relearned(texts, targets, order, classes)
        head = self._origin.fork()
        head.lengthen(len(self._vocabulary))
        for label in classes:
            head.column(label)
        dice = self._dice()
        head.train_on(self._vocabulary, texts, targets, order, _WARM_EPOCHS, dice, _WARM_RATE)
        return head

    def _keep_rows(self, rows: NDArray[np.int64]) -> None:
        super()._keep_rows(rows)
        if self._origin is not None:
            self._origin.lengthen(int(rows[-1]) + 1)
            self._origin.select(rows)

    def _origin_state(self) -> dict[str, Any] | None:
        if self._origin is None:
            return None
        return {"classes": list(self._origin.classes), "weights": self._origin.state()}

    def _take(self, state: Mapping[str, Any]) -> None:
        self._epochs = int(state["epochs"])
        self._scale = Scale(*(float(value) for value in state["scale"]))
        self._head = LinearHead()
        self._head.restore([str(name) for name in state["classes"]], state["head"])
        saved = state["vocabulary"]
        self._vocabulary.restore(
            saved["hashes"], saved["frequencies"], int(saved["documents"]), saved["idf"]
        )
        if len(self._vocabulary) != self._head.rows:
            raise ValueError("the saved vocabulary does not agree with the weights")
        self._words = None
        if self._table is not None and state["words"] is not None:
            self._words = WordRows(self._table)
            self._words.restore(state["words"])
        self._memory.restore(state["memory"])
        origin = state.get("origin")
        if origin is not None:
            self._origin = LinearHead()
            self._origin.restore([str(name) for name in origin["classes"]], origin["weights"])
        self._guard = Guard.from_state(state["guard"])
        self._calibration = Calibration.from_state(state.get("calibration"), state["classes"])
