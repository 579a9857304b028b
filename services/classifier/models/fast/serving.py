"""The serving model: a topic head and a priority head of the fast family as one Labeller."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.domain.ledger import Correction
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead

Report = Callable[[str], None]

NAME = "fast"
_WORD = re.compile(r"\w")


def _silent(step: str) -> None:
    """No one is watching this fit."""


class FastLabeller:
    """A Labeller of some microseconds a ticket that learns from corrections.

    The topic head adds the encoder's words to its n-grams; priorities gain nothing from words and
    do without.
    """

    def __init__(self, topic: TextHead, priority: TextHead | None, identity: ModelIdentity) -> None:
        self._topic = topic
        self._priority = priority
        self._identity = identity

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        topics: Sequence[str],
        priorities: Sequence[str] | None = None,
        *,
        seed: int = 0,
        encoder: Encoder | None = None,
        report: Report = _silent,
    ) -> "FastLabeller":
        """Fit both heads. ValueError when a head is given fewer than two classes or no word."""
        if not any(_WORD.search(text) for text in texts):
            raise ValueError("no text holds a word")
        topic = TextHead(seed=seed, encoder=encoder)
        report("topic: fitting words and character n-grams")
        topic.fit(texts, topics)
        priority = None
        if priorities is not None:
            report("priority: fitting words and character n-grams")
            priority = TextHead(seed=seed)
            priority.fit(texts, priorities)
        report("computing the digest")
        return cls.of(topic, priority)

    @classmethod
    def of(cls, topic: TextHead, priority: TextHead | None) -> "FastLabeller":
        """A labeller of fitted heads, not yet saved under a version."""
        labeller = cls(topic, priority, ModelIdentity(NAME, "unsaved", ""))
        labeller._identity = ModelIdentity(NAME, "unsaved", digest_of(labeller.state()))
        return labeller

    @property
    def identity(self) -> ModelIdentity:
        """Name, version and digest of what it was trained to be, and the log offset it folded."""
        return self._identity

    @property
    def topic(self) -> TextHead:
        """The head that always exists."""
        return self._topic

    @property
    def priority(self) -> TextHead | None:
        """None where the model was never shown a priority."""
        return self._priority

    def heads(self) -> dict[str, TextHead]:
        """The heads there are, by the name of what they tell."""
        heads = {"topic": self._topic}
        if self._priority is not None:
            heads["priority"] = self._priority
        return heads

    def label(self, texts: Sequence[str]) -> Labelling:
        """Scores of every head for `texts`."""
        topic = HeadScores(self._topic.classes, self._topic.predict_proba(texts, live=True))
        priority = None
        if self._priority is not None:
            priority = HeadScores(self._priority.classes, self._priority.predict_proba(texts))
        return Labelling(topic, priority)

    def correct(self, said: Correction) -> set[str]:
        """Learn a correction now; the names of the heads that it had a label for.

        Without a text it only names its topic.
        """
        taught: set[str] = set()
        if not said.text:
            if said.topic is not None:
                self._topic.add_class(said.topic)
            return taught
        for name, head in self.heads().items():
            label = getattr(said, name)
            if label is not None:
                head.correct(said.text, label)
                taught.add(name)
        return taught

    def withdraw(self, texts: Collection[str]) -> set[str]:
        """Take back what these texts were corrected to; the names of the heads it changes."""
        return {
            name
            for name, head in self.heads().items()
            if sum(head.withdraw(text) for text in texts)  # not any(): of each of them
        }

    def refit(self, names: Collection[str]) -> bool:
        """Fit these heads anew, each for itself; False when the guard of one refused."""
        refused = 0
        for name in sorted(names):
            head = self.heads()[name]
            before = head.refused_refits
            head.refit()
            refused += head.refused_refits - before
        return not refused

    def fork(self) -> "FastLabeller":
        """A labeller of its own that answers and learns the same."""
        priority = self._priority.fork() if self._priority else None
        return FastLabeller(self._topic.fork(), priority, self._identity)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays: all that predicting and learning on need."""
        return {
            "topic": self._topic.state(),
            "priority": self._priority.state() if self._priority else None,
        }

    @classmethod
    def from_state(
        cls, state: Mapping[str, Any], version: str, encoder: Encoder | None = None
    ) -> "FastLabeller":
        """The labeller that `state` described. Raises LookupError or ValueError."""
        priority = state["priority"]
        return cls(
            TextHead.from_state(state["topic"], encoder),
            TextHead.from_state(priority) if priority else None,
            ModelIdentity(NAME, version, digest_of(state)),
        )
