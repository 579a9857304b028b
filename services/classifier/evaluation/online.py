"""The port of a model that learns from single corrections."""

from collections.abc import Callable
from typing import Protocol, runtime_checkable

from services.classifier.domain.labelling import TextClassifier

# Told what is going on, how much is done, and of how much.
Report = Callable[[str, int, int], None]


@runtime_checkable
class OnlineClassifier(TextClassifier, Protocol):
    """A TextClassifier that also learns one ticket at a time; a new label is a new class."""

    def correct(self, text: str, label: str) -> None:
        """Learn one correction now."""
        ...

    def refit(self) -> None:
        """Learn from the replay memory again, classes balanced."""
        ...

    def encode_pending(self, most: int = 1024) -> int:
        """Encode about so many words, at most, that were met often since; how many."""
        ...
