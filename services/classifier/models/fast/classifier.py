"""The hot path's classifier: hashed n-grams, and words the encoder has seen, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.calibration import HeldOut, holdout
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.guard import Guard
from services.classifier.models.fast.replay import ReplayMemory
from services.classifier.models.fast.tuning import (
    DEFAULT_EPOCHS,
    MOST_EPOCHS,
    EpochSearch,
    Scale,
    stacked,
)
from services.classifier.models.lexical.linear import CORRECTION_RATE, LinearHead, columns
from services.classifier.models.lexical.packing import ASKED_AT_ONCE, runs
from services.classifier.models.lexical.row_budget import learn_anew, make_room
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.lexical.vocabulary import Features, Vocabulary
from services.classifier.models.words.rows import WordRows
from services.classifier.models.words.table import WordTable
from services.classifier.models.words.uses import WordUses

Array = NDArray[np.float32]

_HOLDOUT_SHARE: Final = 0.1
_SMALL: Final = 50
# Word vectors of more texts than this no longer move the word rows, but fill the memory.
_WORD_TEXTS: Final = 16_000
# Word rows of more topics than this would not fit beside everything else.
_WORD_CLASSES: Final = 1_000
_CORRECTION_STEPS: Final = 8
# Times the logarithm of how scarce a class is, added to its logit (logit adjustment, Menon et al.
# 2021): few examples, however often repeated, say little of what else is of their class. From .6
# on old topics lose more than half a point.
_SCARCITY: Final = 0.4


@dataclass(frozen=True, slots=True)
class _Lesson:
    """What one fit learns from: texts as features, their columns, and which are held out.

    word_texts: the texts that the word head learns from.
    """

    texts: Sequence[str]
    features: Features
    targets: NDArray[np.int32]
    classes: list[str]
    held: NDArray[np.bool_]
    word_texts: NDArray[np.int64]
    uses: WordUses | None


class FastClassifier:
    """A TextClassifier of some microseconds a text. Same calls, same answers, bit for bit.

    With an encoder, the words of the training texts are encoded once at `fit`; words first met
    later are skipped and counted until `read` is told of them.
    """

    def __init__(self, *, seed: int = 0, encoder: Encoder | None = None) -> None:
        self._seed = seed
        self._vocabulary = Vocabulary()
        self._head = LinearHead()
        self._table = WordTable(encoder) if encoder is not None else None
        self._words: WordRows | None = None
        self._scale = Scale()
        self._epochs = DEFAULT_EPOCHS
        self._memory = ReplayMemory(seed)
        self._guard = Guard()
        self.held_out = HeldOut(
            np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, 0), np.float32)
        )
        self.refused_refits = 0

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(self._head.classes)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch. Raises ValueError when fewer than two classes are given."""
        if len(texts) != len(labels):
            raise ValueError(f"{len(texts)} texts but {len(labels)} labels")
        classes = sorted(set(labels))
        if len(classes) < 2:
            raise ValueError(f"at least two classes are needed to learn, got {len(classes)}")
        lesson = self._prepare(texts, labels, classes)
        self._scale, self._epochs = Scale(1.0, 1.0), DEFAULT_EPOCHS
        if lesson.held.sum() >= _SMALL:
            self._calibrate(lesson)
        self._guard = Guard.drawn(texts, labels, self._seed)
        kept = np.setdiff1d(np.arange(len(texts)), self._guard.rows)
        self._memory.clear()
        shown = kept.tolist()
        self._memory.remember([texts[i] for i in shown], [labels[i] for i in shown])
        head = self._blank(classes)
        head.train(lesson.features, lesson.targets, kept, self._epochs, self._dice())
        self._head = head
        self._fit_words(lesson, np.isin(lesson.word_texts, kept))
        self._guard = self._guard.judged(self)

    def predict_proba(self, texts: Sequence[str], *, live: bool = False) -> Probabilities:
        """Shape (texts, classes), rows sum to 1; a text of unknown features gets the prior.

        live: these are tickets, whose words without a row are to be noticed.
        """
        logits = self._scores(texts, live=live)
        result: Probabilities = normalise(logits, len(self._head.classes), self._scale.factor)
        return result

    def logits(self, texts: Sequence[str]) -> Array:
        """Calibrated logits, shape (texts, classes): predict_proba is their softmax."""
        scaled: Array = self._scores(texts)[:, : len(self.classes)] * np.float32(self._scale.factor)
        return scaled

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Shape (texts,): minus the standardised top logit times the known share of the features.

        A logit says how much speaks for a class, not how much of the text says nothing to anyone.
        """
        doubts = [np.zeros(0, np.float32)]
        for run in runs(texts, ASKED_AT_ONCE) if texts else ():
            features = self._vocabulary.features(texts[run])
            peak = self._fused(features)[:, : len(self.classes)].max(axis=1) * self._scale.factor
            doubts.append((self._scale.mean - peak * features.coverage) / self._scale.deviation)
        return np.concatenate(doubts).astype(np.float32)

    def correct(self, text: str, label: str) -> None:
        """Learn one correction now; a label never seen becomes a class.

        Steps until the text is answered by its label, at most eight: a correction must be seen to
        work, one that contradicts many others must not undo them.
        """
        column = self._admit(text, label)
        features = self._vocabulary.features([text]).copied()
        target = np.array([column], np.int32)
        order = np.zeros(1, np.int64)
        for _ in range(_CORRECTION_STEPS):
            self._head.step(features, target, order, CORRECTION_RATE)
            if int(self._fused(features)[0, : len(self.classes)].argmax()) == column:
                break
        self._memory.correct(text, label)

    def withdraw(self, text: str) -> bool:
        """Take back the correction of this text, from the next refit on."""
        return self._memory.withdraw(text)

    def refit(self) -> None:
        """Learn from the replay memory again, small classes repeated; kept only if no worse."""
        texts, labels = self._memory.examples()
        if len(set(labels)) < 2:
            return
        classes = self._head.classes + sorted(set(labels) - set(self._head.classes))
        targets = columns(labels, classes)
        order = self._memory.order()
        old_head, old_words, before = self._head, self._words, self._guard.right(self)
        words = self._refitted_words(texts, targets, order, len(classes))
        head = self._relearned(texts, targets, order, classes)  # then: two heads take their room
        for label, times in self._memory.scarce().items():
            head.favour(label, _SCARCITY * log(max(times, 1.0)))
        self._head, self._words = head, words
        if self._guard.refuses(before, self._guard.right(self)):
            self._head, self._words = old_head, old_words
            self.refused_refits += 1

    def take_met_words(self) -> list[str]:
        """Words without a row that were met often since they were last taken."""
        return self._table.take_met() if self._table is not None and self._words else []

    def read(self, words: Sequence[str]) -> int:
        """Encode folded words and add their rows; how many were not known."""
        if self._table is None or self._words is None or not words:
            return 0
        found = WordUses.of(self._vocabulary, words)
        added = self._table.read(found.spelled)
        if added:
            self._words = self._words.fork()
            self._words.fold()
        return added

    def _scores(self, texts: Sequence[str], *, live: bool = False) -> Array:
        parts = [
            self._fused(self._vocabulary.features(texts[run]), live=live)
            for run in runs(texts, ASKED_AT_ONCE)
        ]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _fused(self, features: Features, *, live: bool = False) -> Array:
        logits = self._head.logits(features)
        if self._words is not None:
            self._words.add_scores(features, len(self.classes), self._scale.share, logits, live)
        return logits

    def _admit(self, text: str, label: str) -> int:
        """Room for the features of a text and for its label, whose column is answered."""
        known = len(self._vocabulary)
        self._vocabulary.learn([text])
        self._vocabulary.weigh(known)
        self._head.lengthen(len(self._vocabulary))
        column = self._column(label)
        self._make_room(self._head.stride)
        return column

    def _make_room(self, stride: int) -> None:
        """Forget the rarest features where weights of this many columns would pass the budget."""
        kept = make_room(self._vocabulary, stride)
        if kept is not None:
            self._keep_rows(kept)

    def _keep_rows(self, rows: NDArray[np.int64]) -> None:
        self._head.select(rows)

    def _column(self, label: str) -> int:
        if label not in self._head.classes and len(self._head.classes) == self._head.stride:
            self._make_room(self._head.next_stride)
        return self._head.column(label)

    def _prepare(self, texts: Sequence[str], labels: Sequence[str], classes: list[str]) -> _Lesson:
        learn_anew(self._vocabulary, texts, len(classes))
        features = self._vocabulary.features(texts).copied()
        chosen = np.zeros(0, np.int64)
        uses = self._words = None
        if self._table is not None and len(classes) <= _WORD_CLASSES:
            uses = WordUses.of(self._vocabulary, texts)
            self._table.learn(uses)
            self._words = WordRows(self._table)
            self._words.count(uses)
            chosen = np.sort(self._dice().permutation(len(texts))[:_WORD_TEXTS])
        held = holdout(labels, _HOLDOUT_SHARE, self._seed)
        targets = columns(labels, classes)
        return _Lesson(texts, features, targets, classes, held, chosen, uses)

    def _fit_words(self, lesson: _Lesson, shown: NDArray[np.bool_]) -> None:
        if self._words is not None and lesson.uses is not None:
            texts = lesson.word_texts[shown]
            self._words.fit(lesson.uses, texts, lesson.targets[texts], len(lesson.classes))

    def _refitted_words(
        self,
        texts: Sequence[str],
        targets: NDArray[np.int32],
        order: NDArray[np.int64],
        classes: int,
    ) -> WordRows | None:
        """Encode the words of the memory not yet met, and learn from it all in a copy."""
        if self._table is None or self._words is None or classes > _WORD_CLASSES:
            return self._words
        uses = WordUses.of(self._vocabulary, texts)
        self._table.learn(uses)
        words = self._words.fork()
        importance = np.bincount(order, minlength=len(texts)).astype(np.float32)
        words.fit(uses, np.arange(len(texts)), targets, classes, importance)
        return words

    def _relearned(
        self,
        texts: Sequence[str],
        targets: NDArray[np.int32],
        order: NDArray[np.int64],
        classes: list[str],
    ) -> LinearHead:
        head = self._blank(classes)
        head.train_on(self._vocabulary, texts, targets, order, self._epochs, self._dice())
        return head

    def _blank(self, classes: list[str]) -> LinearHead:
        head = LinearHead()
        head.reset(classes, len(self._vocabulary))
        return head

    def _dice(self) -> np.random.Generator:
        return np.random.default_rng(self._seed)

    def _calibrate(self, lesson: _Lesson) -> None:
        """Epochs, expert weights and novelty scale that suit texts the experts were not shown."""
        held, classes = np.flatnonzero(lesson.held), len(lesson.classes)
        truth = lesson.targets[held]
        judged = self._vocabulary.features([lesson.texts[i] for i in held.tolist()]).copied()
        head = self._blank(lesson.classes)
        search = EpochSearch(head, judged, truth)
        shown = np.flatnonzero(~lesson.held)
        head.train(lesson.features, lesson.targets, shown, MOST_EPOCHS, self._dice(), search.judge)
        self._epochs = search.epochs
        self._fit_words(lesson, ~lesson.held[lesson.word_texts])
        experts = [search.logits[:, :classes]]
        if self._words is not None:
            scores = np.zeros_like(search.logits)
            self._words.add_scores(judged, classes, 1.0, scores)
            experts.append(scores[:, :classes])
        self._scale, logits = stacked(experts, truth, judged.coverage)
        self.held_out = HeldOut(held, truth, logits)
