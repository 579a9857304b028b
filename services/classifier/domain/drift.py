"""Drift: whether the model errs more often, or less, than it used to."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import mean

# The core of river.drift.ADWIN. `import river.drift` itself loads pandas and scikit-learn, 2.5 s
# and 100 MB that a serving process needs for nothing else.
from river._river_rust.drift import AdaptiveWindowing

# The latest answers that tell the rate after a change; a few more are what it takes to notice one.
_RECENT = 100
# Of a stream that never changes, this many answers are remembered, and half of them at least.
_MOST = 20_000


@dataclass(frozen=True, slots=True)
class Change:
    """The error rate changed for good: shares of wrong answers before it and lately."""

    before: float
    after: float


class ErrorDrift:
    """ADWIN over a stream of right and wrong answers, of bounded memory.

    It keeps the answers since the last change: ADWIN's state is a function of them, so that saving
    them saves it in a form that no release of river changes.
    """

    def __init__(self, wrong: Iterable[bool] = ()) -> None:
        """Go on from the answers `wrong`, in the midst of which nothing had changed."""
        self._wrong = bytearray(map(bool, wrong))
        self._window = _window(self._wrong)

    def update(self, *, wrong: bool) -> Change | None:
        """Take in one answer; the change where one is detected, after which all begins anew."""
        self._wrong.append(wrong)
        if self._window.update(float(wrong)):
            change = Change(mean(self._wrong[:-_RECENT] or [0]), mean(self._wrong[-_RECENT:]))
            self._wrong.clear()
            self._window = _window(self._wrong)
            return change
        if len(self._wrong) >= _MOST:
            del self._wrong[: _MOST // 2]
            self._window = _window(self._wrong)
        return None

    def state(self) -> str:
        """The answers since the last change, 1 for a wrong one."""
        return "".join(map(str, self._wrong))

    @classmethod
    def from_state(cls, state: str) -> "ErrorDrift":
        """The detector that `state` described."""
        return cls(mark == "1" for mark in state)

    def copy(self) -> "ErrorDrift":
        """A detector of its own in the same state."""
        twin = ErrorDrift()
        twin._wrong = bytearray(self._wrong)
        twin._window.__setstate__(self._window.__getstate__())
        return twin


def _window(wrong: Iterable[int]) -> AdaptiveWindowing:
    # river's own settings (the significance is that of Bifet and Gavalda 2007).
    window = AdaptiveWindowing(
        delta=0.002, clock=32, max_buckets=5, min_window_length=5, grace_period=10
    )
    for each in wrong:
        window.update(float(each))
    return window
