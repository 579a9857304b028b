"""What the encoder knows of a head's topics: a softmax head and exemplars, weighed on held-outs.

Every figure in here follows from the lessons given, never from the tickets asked about: the same
offset of the correction log gives the same answers.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.calibration import expert_weights
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.replay import balanced
from services.classifier.models.fast.untrained import UNSORTED
from services.classifier.models.semantic.exemplars import ExemplarMemory
from services.classifier.models.semantic.experts import SemanticHead
from services.classifier.models.semantic.names import named_examples

Array = NDArray[np.float32]

# Fast model, semantic head, exemplars (times the cosine), where no held-out text can tell.
EXPECTED: Final = (0.6, 0.6, 4.0)
# The same while everything is learned from few examples: words of grammar in one of them would
# speak for its topic, against those that have but a name.
_EXPECTED_OF_FEW: Final = (0.2, 0.6, 4.0)
# A topic with fewer examples than this is also known by its name.
_NAMED_BELOW: Final = 10
# Names encoded at most: beyond it the first ones have examples, or nobody will miss them.
_MOST_NAMED: Final = 1_000
# Up to so many examples everything is fitted anew whenever something was said: a fifth of a second.
FEW: Final = 1_000
# Held-out texts below which they cannot tell what an expert is worth.
_FEWEST_HELD: Final = 50
# The cosine of a ticket to the nearest exemplar of its topic and its deviation on real sets, and
# as how many exemplars that counts.
_USUALLY_NEAREST, _USUALLY_SPREAD, _USUALLY_KNOWN = 0.5, 0.12, 20
# Deviation of three experts' standardised doubts added up, on real sets.
_DOUBT_OF_ALL: Final = 2.6


@dataclass(frozen=True, slots=True)
class Lesson:
    """Labelled texts in the order they were learned; `columns` index `names`."""

    texts: Sequence[str]
    columns: NDArray[np.int32]
    names: Sequence[str]
    descriptions: Mapping[str, str] = field(default_factory=dict)

    @property
    def few(self) -> bool:
        """So little that learning it anew costs next to nothing."""
        return len(self.texts) <= FEW


@dataclass(frozen=True, slots=True)
class Spread:
    """Where a score usually lies."""

    mean: float = 0.0
    deviation: float = 1.0

    @classmethod
    def of(cls, values: Array) -> "Spread":
        return cls(float(values.mean()), float(values.std() + 1e-6)) if len(values) else cls()

    @classmethod
    def of_exemplars(cls, nearest: Array) -> "Spread":
        """By how near exemplars are to each other, where no held-out text can tell.

        Few of them are outvoted by what is usual; three experts' doubts are expected of this one.
        """
        count = _USUALLY_KNOWN + len(nearest)
        mean = (_USUALLY_KNOWN * _USUALLY_NEAREST + float(nearest.sum())) / count
        squares = float(((nearest - mean) ** 2).sum()) + _USUALLY_KNOWN * _USUALLY_SPREAD**2
        return cls(mean, math.sqrt(squares / count) / _DOUBT_OF_ALL)

    def below(self, values: Array) -> Array:
        """How many deviations `values` lie below the mean."""
        return np.asarray((self.mean - values) / self.deviation, np.float32)


# Of an expert whose doubts nobody knows how to read.
_UNHEARD: Final = Spread(0.0, math.inf)


class TopicExperts:
    """The encoder's two experts on the topics of one head.

    Vectors are kept of the texts of the last lesson and of those corrected since.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._vectors: dict[str, NDArray[np.float16]] = {}
        self._base = self._head = SemanticHead(np.zeros(encoder.dimension, np.float32))
        self._exemplars = ExemplarMemory(self._head.centre)
        self._waiting: dict[str, int] = {}
        self.weights: list[float] = list(_EXPECTED_OF_FEW)
        self._weighed = False
        self.spreads = (Spread(), Spread(), Spread())

    def begin(self, lesson: Lesson) -> None:
        """Learn what the trained model learned; later lessons start from here."""
        self._learn(lesson, None)
        self._base = self._head

    def learn(self, lesson: Lesson) -> None:
        """Learn everything again, small classes repeated, with what was corrected since."""
        known = self._base.head.weights.size > 0
        self._learn(lesson, self._base if known and not lesson.few else None)

    def correct(self, text: str, column: int) -> None:
        """An exemplar from now on; it is encoded when somebody asks."""
        self._waiting.pop(text, None)
        self._waiting[text] = column

    def withdraw(self, text: str) -> None:
        """No exemplar from now on."""
        self._waiting.pop(text, None)
        self._exemplars.remove(text)

    def name(self, names: Sequence[str], column: int, descriptions: Mapping[str, str]) -> None:
        """Take a topic that has no example yet by its name."""
        said = named_examples(names, [column], descriptions)
        vectors = self._encoded([each.text for each in said])
        self._exemplars.add([(column, each.text) for each in said], vectors, [column] * len(said))

    def weigh(self, logits: Array, vectors: Array, columns: NDArray[np.int32]) -> None:
        """Find the weights and the usual doubts on texts that nobody learned.

        logits: the fast model's, shape (texts, classes); columns: their true classes.
        """
        if len(columns) < _FEWEST_HELD:
            return
        experts = self.scores(logits, vectors)
        self.weights, self._weighed = expert_weights(experts, columns, EXPECTED), True
        first, second, third = (Spread.of(each.max(axis=1)) for each in experts)
        self.spreads = (first, second, third)

    def encode(self, texts: Sequence[str]) -> Array:
        """Vectors of texts to ask about; they are not kept."""
        return self._encoder.encode(texts)

    def judge(self, logits: Array, vectors: Array) -> tuple[Array, Array]:
        """Logits of all experts together, shape (texts, classes), and the novelty, shape (texts,).

        Novelty is the standardised doubt of the fast model and of both experts, added up.
        """
        experts = self.scores(logits, vectors)
        fused = np.zeros_like(logits)
        novelty = np.zeros(len(logits), np.float32)
        for weight, spread, scores in zip(self.weights, self.spreads, experts, strict=True):
            fused += np.float32(weight) * scores
            novelty += spread.below(scores.max(axis=1))
        return fused, novelty

    def scores(self, logits: Array, vectors: Array) -> list[Array]:
        """What each expert says, the fast model first; shape (texts, classes) each."""
        self._catch_up()
        semantic = self._head.logits(vectors)
        missing = logits.shape[1] - semantic.shape[1]
        if missing:  # classes named since the head was fitted: it has nothing to say about them
            shape = (len(vectors), 1)
            floor = semantic.mean(axis=1, keepdims=True) if semantic.size else np.zeros(shape)
            semantic = np.concatenate([semantic, np.repeat(floor, missing, axis=1)], axis=1)
        nearest = self._exemplars.scores(vectors, logits.shape[1])
        return [logits, semantic.astype(np.float32), nearest]

    def fork(self) -> "TopicExperts":
        """Experts of their own that know the same; vectors are shared, they never change."""
        twin = TopicExperts(self._encoder)
        twin._vectors, twin._base, twin._head = self._vectors, self._base, self._head
        twin._exemplars = self._exemplars.fork()
        twin._waiting = dict(self._waiting)
        twin.weights, twin._weighed = list(self.weights), self._weighed
        twin.spreads = self.spreads
        return twin

    def _learn(self, lesson: Lesson, base: SemanticHead | None) -> None:
        classes = len(lesson.names)
        counts = np.bincount(lesson.columns, minlength=classes)
        few = [
            i for i in np.flatnonzero(counts < _NAMED_BELOW).tolist() if lesson.names[i] != UNSORTED
        ]
        said = named_examples(lesson.names, few[:_MOST_NAMED], lesson.descriptions)
        texts = [*(each.text for each in said), *lesson.texts]
        vectors = self._encoded(texts)
        # Not in place: the experts that answer meanwhile still learn by the others.
        self._vectors = {text: self._vectors[text] for text in texts}
        called = np.array([each.column for each in said], np.int32)
        columns = np.concatenate([called, lesson.columns])
        importance = np.ones(len(columns), np.float32)
        importance[: len(said)] = [each.weight for each in said]
        if base is not None and len(lesson.columns):
            repeats = np.bincount(balanced(lesson.columns), minlength=len(lesson.columns))
            importance[len(said) :] = repeats
        self._head = SemanticHead(base.centre, base.head) if base else SemanticHead()
        if vectors.any():
            self._head.fit(vectors, columns, classes, importance)
        else:
            self._head.centre = np.zeros(self._encoder.dimension, np.float32)
        keys = [*((each.column, each.text) for each in said), *lesson.texts]
        self._exemplars = ExemplarMemory(self._head.centre, classes)
        self._exemplars.add(keys, vectors, columns.tolist())
        self._waiting.clear()
        if not self._weighed:
            self.weights = list(_EXPECTED_OF_FEW if lesson.few else EXPECTED)
            # What has learned a text cannot say how it would have doubted it; its neighbours can.
            nearest = Spread.of_exemplars(self._exemplars.nearest_others())
            self.spreads = (_UNHEARD, _UNHEARD, nearest)

    def _catch_up(self) -> None:
        if not self._waiting:
            return
        texts, columns = list(self._waiting), list(self._waiting.values())
        self._waiting.clear()
        self._exemplars.add(texts, self._encoded(texts), columns)

    def _encoded(self, texts: Sequence[str]) -> Array:
        """Vectors, shape (texts, dimension), rounded to what is kept so that none differs later."""
        new = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if new:
            vectors = self._encoder.encode(new).astype(np.float16)
            self._vectors.update(zip(new, vectors, strict=True))
        if not texts:
            return np.zeros((0, self._encoder.dimension), np.float32)
        return np.stack([self._vectors[text] for text in texts]).astype(np.float32)
