"""How a run stands: the counters, and the small file that a supervisor reads."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import orjson


@dataclass(slots=True)
class Status:
    """Counters of one run. Tickets, not requests; corrections count apart."""

    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    undelivered: int = 0
    # Requests that were posted more than once.
    retried: int = 0
    corrections: int = 0
    checked: int = 0
    correct: int = 0
    done: bool = False
    truths: Counter[str] = field(default_factory=Counter)

    def check(self, predicted: str, truth: str) -> None:
        """Compare one label with the truth."""
        self.checked += 1
        self.correct += predicted == truth
        self.truths[truth] += 1

    @property
    def accuracy(self) -> float | None:
        """Share of correct labels among the checked; None before the first."""
        return self.correct / self.checked if self.checked else None

    @property
    def majority_accuracy(self) -> float | None:
        """What always answering the most frequent topic would have reached on the same tickets."""
        return max(self.truths.values()) / self.checked if self.checked else None

    def as_json(self) -> bytes:
        """The status file's content."""
        names = ("sent", "accepted", "rejected", "undelivered", "retried", "corrections")
        return orjson.dumps(
            {name: getattr(self, name) for name in names}
            | {
                "checked": self.checked,
                "correct": self.correct,
                "accuracy": self.accuracy,
                "majority_accuracy": self.majority_accuracy,
                "done": self.done,
            },
            option=orjson.OPT_APPEND_NEWLINE,
        )

    def line(self) -> str:
        """One line for people."""
        parts = [f"sent {self.sent:,}", f"accepted {self.accepted:,}"]
        rare = ("rejected", "undelivered", "retried", "corrections")
        parts += (f"{name} {getattr(self, name):,}" for name in rare if getattr(self, name))
        if self.accuracy is not None:
            parts.append(f"accuracy {self.accuracy:.3f} of {self.checked:,}")
            parts.append(f"majority {self.majority_accuracy:.3f}")
        return ", ".join(parts)


def write_status(path: Path, status: Status) -> None:
    """Replace the file as a whole: a reader never sees half of it."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(status.as_json())
    fresh.replace(path)
