"""A head of topics that the encoder's experts learn beside the fast model, from the same log."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.labelling import Probabilities
from services.classifier.models.blas import one_thread
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.lexical.linear import columns
from services.classifier.models.lexical.softmax import normalise
from services.classifier.models.semantic.topic_experts import FEW, Lesson, TopicExperts

Array = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SecondLook:
    """What all experts together say of a batch of texts.

    probabilities: shape (texts, classes); vectors: the encoder's, shape (texts, dimension), zeros
    where there was nothing to encode, and there the probabilities are the fast model's; novelty:
    shape (texts,), the standardised doubts of all experts added up.
    """

    classes: tuple[str, ...]
    probabilities: Probabilities
    vectors: Array
    novelty: Array


class CascadedHead(TextHead):
    """A TextHead whose experts follow every correction, undo, refit, reset and promotion with it.

    What it answers fast (`predict_proba`), saves and loads is a TextHead's, bit for bit; the
    experts are made of the replay memory and the guard's texts that every saved model holds.
    Questions may come from another thread than what is learned.
    """

    def __init__(self, *, seed: int = 0, encoder: Encoder | None = None) -> None:
        """encoder: the default one unless given."""
        asked = encoder or DeferredEncoder()
        super().__init__(seed=seed, encoder=asked)
        self._experts = TopicExperts(asked)
        self._descriptions: dict[str, str] = {}
        self._outdated = False
        self._lock = threading.RLock()

    @classmethod
    def over(
        cls,
        head: TextHead,
        *,
        encoder: Encoder | None = None,
        descriptions: Mapping[str, str] | None = None,
        trained: TopicExperts | None = None,
    ) -> "CascadedHead":
        """The same head with experts: as trained, or learned on from `trained` since.

        The two share weights until one of them learns.
        """
        found = cls(encoder=encoder)
        vars(found).update(vars(head.fork()))  # all that a TextHead is
        found._adopt(descriptions or {}, trained)
        return found

    @property
    def experts(self) -> TopicExperts:
        """What the encoder knows of the topics."""
        return self._experts

    @property
    def untaught(self) -> bool:
        """Whether so few texts were learned that the fast model's answers are worth little."""
        return len(self._memory) <= FEW

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """As TextHead's, and the experts with it."""
        super().fit(texts, labels)
        self._begin()

    def second_look(self, texts: Sequence[str]) -> SecondLook:
        """Encode `texts` and ask every expert."""
        with one_thread():  # once: entering it costs as much as a text labelled fast
            vectors = self._experts.encode(texts)
            return self.look_at(texts, vectors)

    def look_at(self, texts: Sequence[str], vectors: Array) -> SecondLook:
        """The same for texts that were encoded before."""
        with self._lock:
            self._renew()
            logits = self.logits(texts)
            fused, novelty = self._experts.judge(logits, vectors)
            there = vectors.any(axis=1)
            fused[~there] = logits[~there]
            probabilities: Probabilities = normalise(fused, len(self.classes), 1.0)
            return SecondLook(self.classes, probabilities, vectors, novelty)

    def correct(self, text: str, label: str) -> None:
        """As TextHead's; the text is an exemplar of its label from now on."""
        with self._lock:
            super().correct(text, label)
            self._experts.correct(text, self._column(label))
            self._outdated = True

    def withdraw(self, text: str) -> bool:
        """As TextHead's; the text is no exemplar any more."""
        with self._lock:
            self._experts.withdraw(text)
            self._outdated = True
            return super().withdraw(text)

    def add_class(self, label: str, description: str = "") -> None:
        """As TextHead's; name and description stand for the examples it does not have."""
        with self._lock:
            new = label not in self.classes
            super().add_class(label)
            if description:
                self._descriptions[label] = description
            if new or description:
                self._experts.name(self.classes, self._column(label), self._descriptions)
                self._outdated = True

    def refit(self) -> None:
        """As TextHead's; the experts learn the whole memory again."""
        super().refit()
        with self._lock:
            self._experts.learn(self._lesson())
            self._outdated = False

    def fork(self) -> "CascadedHead":
        """A head of its own that shares only what never changes."""
        with self._lock:
            twin = CascadedHead(seed=self._seed, encoder=self._encoder)
            vars(twin).update(vars(super().fork()))  # all that a TextHead is
            twin._experts = self._experts.fork()
            twin._descriptions = dict(self._descriptions)
            twin._outdated = self._outdated
            return twin

    def _adopt(self, descriptions: Mapping[str, str], trained: TopicExperts | None) -> None:
        self._descriptions = dict(descriptions)
        if trained is None:
            self._begin()
        else:
            self._experts = trained.fork()
            self._experts.learn(self._lesson())

    def _begin(self) -> None:
        with self._lock:
            self._experts.begin(self._lesson())
            texts, labels = self._guard.texts, self._guard.labels
            if texts:
                vectors = self._experts.encode(texts)
                self._experts.weigh(self.logits(texts), vectors, columns(labels, self.classes))
            self._outdated = False

    def _renew(self) -> None:
        """Learn anew where that is cheap: then a first example counts at once, and in full."""
        if not self._outdated:
            return
        self._outdated = False
        lesson = self._lesson()
        if lesson.few:
            self._experts.learn(lesson)

    def _lesson(self) -> Lesson:
        texts, labels = self._memory.examples()
        return Lesson(texts, columns(labels, self.classes), self.classes, dict(self._descriptions))
