"""A row of the table: one fault, what it does to a world, and what came of it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.checker import Verdict
from tests.chaos.world import Setup, World


class Skipped(Exception):
    """This machine cannot run the row; the message says why."""


@dataclass(frozen=True)
class Row:
    """One fault. `act` feeds a running world and breaks it; the suite waits for rest and judges.

    quick: one of the ten most telling. prepare: makes what the world lies on (a small disk, say)
    and answers the setup to use; it may raise Skipped, and `clean_up` is called in any case.
    """

    name: str
    what: str
    act: Callable[[World], None]
    setup: Setup = field(default_factory=Setup)
    quick: bool = False
    # Changes the world for good, so that no other row can use it.
    spoils: bool = False
    # The control: the row holds if and only if the judge finds fault with it.
    guilty: bool = False
    prepare: Callable[[Path, Setup], Setup] | None = None
    clean_up: Callable[[Path], None] | None = None

    @property
    def shares(self) -> bool:
        """May the world of the row before be used again?"""
        return self.prepare is None and not self.spoils


@dataclass
class Outcome:
    """What one run of a row came to. recovery: seconds, the longest of the run, None if none."""

    row: str
    seed: int
    status: str
    seconds: float = 0.0
    events: int = 0
    lost: int = 0
    doubled: int = 0
    gaps: int = 0
    mismatched: int = 0
    replayed: int = 0
    recovery: float | None = None
    reason: str = ""
    evidence: str = ""
    notes: dict[str, float] = field(default_factory=dict)

    def judged(self, verdict: Verdict, *, guilty: bool = False) -> None:
        """Take over the judge's numbers; anything but 0 fails the row, all 0 the control."""
        for kind in ("lost", "doubled", "gaps", "mismatched", "replayed"):
            setattr(self, kind, getattr(verdict, kind))
        if guilty and not verdict.doubled:
            self.status, self.reason = "failed", "the judge finds nothing: it is blind"
        elif not guilty and not verdict.good:
            self.status, self.reason = "failed", "; ".join(verdict.findings[:3])

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)
