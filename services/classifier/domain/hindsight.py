"""What labels are worth that nobody touched, told from how many wrong ones were corrected."""

from dataclasses import dataclass
from typing import Final

# Bounds the weight of a single correction to twenty tickets.
_LEAST: Final = 0.05
# Untouched tickets never stand for nothing at all.
_MOST_CONFIRMED: Final = 0.99


@dataclass(frozen=True, slots=True)
class Hindsight:
    """How thoroughly humans looked at labels of known probability.

    corrected: the share of wrong labels that were set right, in [.05, 1]; confirmed: the share of
    right labels that a human set to the very same value, in [0, .99].
    """

    corrected: float
    confirmed: float

    @classmethod
    def of(
        cls, *, expected_wrong: float, expected_right: float, changed: int, confirmed: int
    ) -> "Hindsight":
        """From counts of what humans did and sums of (1 - p) and p over all labels they saw.

        Probabilities are calibrated, so the sums are how many wrong and right labels there were.
        Where models are surer than they should be, too many wrong labels seem corrected, and
        untouched ones are believed too much, which speaks for the champion that gave them.
        """
        seen = changed / expected_wrong if expected_wrong > 0 else 1.0
        same = confirmed / expected_right if expected_right > 0 else 0.0
        return cls(min(max(seen, _LEAST), 1.0), min(same, _MOST_CONFIRMED))

    def right(self, probability: float) -> float:
        """How likely a label of this probability is right, given that nobody touched it (Bayes)."""
        hit = probability * (1.0 - self.confirmed)
        miss = (1.0 - probability) * (1.0 - self.corrected)
        return hit / (hit + miss) if hit + miss > 0 else 0.0

    @property
    def stands_for(self) -> float:
        """How many wrong labels one that was corrected stands for."""
        return 1.0 / self.corrected
