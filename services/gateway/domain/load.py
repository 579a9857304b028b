"""Load over time: whole days asked for, and packed windows to one series."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

from shared.errors import BadRequest
from shared.granularity import Granularity
from shared.windows import Counts, Grain, periods, unpack

# 22 years of hours. More is a mistake, and would be tens of megabytes of zeros.
MOST_VALUES = 200_000


@dataclass(frozen=True, slots=True)
class Span:
    """Whole UTC days, both ends included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise BadRequest(f"start_date {self.first} lies after end_date {self.last}")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, time(), UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the span."""
        if self.last == date.max:
            return datetime.max.replace(tzinfo=UTC)
        return datetime.combine(self.last + timedelta(days=1), time(), UTC)

    def length(self, grain: Grain) -> int:
        return self.days * 86400 // grain.seconds

    def require_at_most(self, granularity: Granularity) -> None:
        """Raises BadRequest for a span of more values than one answer may have."""
        if (wanted := self.length(granularity.grain)) > MOST_VALUES:
            raise BadRequest(
                f"{wanted} {granularity} windows asked for, at most {MOST_VALUES} are read at once;"
                " ask for fewer days or a coarser granularity"
            )


def period_names(grain: Grain, span: Span) -> list[str]:
    """The periods whose strings cover the span, in order."""
    return [name for name, _, _ in periods(grain, span.start, span.end)]


def sum_windows(raws: Sequence[bytes | None], grain: Grain, span: Span) -> Counts:
    """Counts per window of the span, summed over series, shape (span.length(grain),).

    raws: packed strings, all periods of the first series, then all of the second, and so on.
    """
    covered = list(periods(grain, span.start, span.end))
    total = np.zeros(sum(length for _, _, length in covered), np.int64)
    for row in range(0, len(raws), len(covered)):
        at = 0
        for raw, (_, _, length) in zip(raws[row : row + len(covered)], covered, strict=True):
            if raw:
                total[at : at + length] += unpack(raw, length)
            at += length
    skipped = int((span.start - covered[0][1]).total_seconds()) // grain.seconds
    return total[skipped : skipped + span.length(grain)]
