"""How much second looks may cost: a share of one core, less of it where others want the core, and
nothing while the stream runs ahead."""

from typing import Final

from shared.clock import Monotonic

# What was not spent is kept for so long: a burst after a quiet minute may use it.
_KEPT_SECONDS: Final = 10.0
# Encoding a ticket, before the first was measured.
_FIRST_COST: Final = 0.001
# Weight of the latest batch in the running cost of a ticket.
_SMOOTHING: Final = 0.2
# A thread that runs for half of its time shares the core with nobody who minds: the other half are
# its own process's event loop and the machine's noise.
_UNDISTURBED: Final = 0.5


class Pace:
    """A bucket of CPU seconds that fills at `share` a second. Not shared between threads."""

    def __init__(self, share: float, most_behind: float, monotonic: Monotonic) -> None:
        """share: of one core, above 0; most_behind: seconds after which nothing is looked at."""
        self._share = share
        self._most_behind = most_behind
        self._monotonic = monotonic
        self._bucket = share * _KEPT_SECONDS
        self._cost = _FIRST_COST
        self._granted = 1.0
        self._filled = monotonic()
        self._behind = False

    def behind(self, age: float) -> bool:
        """Whether tickets labelled `age` seconds ago must be passed over to catch up.

        Once behind it stays so until half of the time allowed is left.
        """
        limit = self._most_behind / 2 if self._behind else self._most_behind
        self._behind = age > limit
        return self._behind

    def empty(self) -> bool:
        """Whether there is nothing left for a single ticket."""
        self._fill()
        return self._bucket < self._cost

    def take(self, wanted: int) -> int:
        """How many of so many tickets may be encoded now; they count as spent until `spent`."""
        self._fill()
        room = min(wanted, max(0, int(self._bucket / self._cost)))
        self._bucket -= room * self._cost
        return room

    def spent(self, tickets: int, seconds: float) -> None:
        """What the last `take` of so many tickets really cost, in CPU seconds.

        0 tickets: what was spent on anything else.
        """
        self._bucket += tickets * self._cost - seconds
        if tickets:
            self._cost += _SMOOTHING * (seconds / tickets - self._cost)

    def disturbed(self, granted: float) -> None:
        """granted: CPU seconds per second of the latest look; low where it had to wait for others.

        The share shrinks with its square: what the scheduler gives to the last in its queue, it
        takes from those who came before in small pieces.
        """
        self._granted += _SMOOTHING * (granted - self._granted)

    def _fill(self) -> None:
        now = self._monotonic()
        share = self._share * min(1.0, self._granted / _UNDISTURBED) ** 2
        room = max(share * _KEPT_SECONDS, self._cost)  # for one ticket, to see when it is over
        self._bucket = min(room, self._bucket + (now - self._filled) * share)
        self._filled = now
