"""The live table of the demo, or one plain line every few seconds without a terminal."""

from collections import deque

from rich.table import Table

from deploy.local.latency import between, quantile
from deploy.local.observation import Snapshot

# Rates and quantiles are of the last seconds, so that a change shows at once.
WINDOW_SECONDS = 10.0


class Progress:
    """Turns looks at the system into what people read."""

    def __init__(self) -> None:
        self._looks: deque[Snapshot] = deque()

    def add(self, look: Snapshot) -> None:
        """Remember a look; forget what is older than the window."""
        self._looks.append(look)
        while look.at - self._looks[0].at > WINDOW_SECONDS:
            self._looks.popleft()

    @property
    def last(self) -> Snapshot:
        return self._looks[-1] if self._looks else Snapshot()

    def per_second(self) -> float:
        """Tickets counted per second."""
        if len(self._looks) < 2:
            return 0.0
        first, last = self._looks[0], self._looks[-1]
        return (last.totals.counted - first.totals.counted) / max(last.at - first.at, 1e-9)

    def latency(self, share: float) -> float | None:
        """End to end, in seconds, of the window; None while nothing arrives."""
        if not self._looks:
            return None
        return quantile(between(self._looks[0].end_to_end, self.last.end_to_end), share)

    def overall(self, share: float) -> float | None:
        """End to end, in seconds, since the forecaster started."""
        return quantile(self.last.end_to_end, share)

    def facts(self, restarts: int) -> dict[str, str]:
        """Name and value of everything shown, in order."""
        look = self.last
        report, totals = look.report, look.totals
        facts = {
            "accepted": f"{report.accepted:,}",
            "labelled": f"{totals.labelled:,}",
            "counted": f"{totals.counted:,}",
            "per second": f"{self.per_second():,.0f}",
            "end to end": f"p50 {milliseconds(self.latency(0.5))}, "
            f"p99 {milliseconds(self.latency(0.99))}",
            "gaps": f"{totals.gaps:,}",
            "parked": f"{look.parked:,}",
            "corrections": f"{totals.corrected:,}",
            "restarts": f"{restarts:,}",
        }
        if report.rejected:
            facts["rejected"] = f"{report.rejected:,}"
        if report.accuracy is not None:
            facts["accuracy"] = accuracy(report.accuracy, report.majority_accuracy)
        return facts

    def line(self, restarts: int) -> str:
        """Everything in one line."""
        return ", ".join(f"{name} {value}" for name, value in self.facts(restarts).items())

    def table(self, restarts: int, urls: dict[str, str]) -> Table:
        """Everything as a table, with the busiest queues and what to open."""
        table = Table(title="Deskstream", show_header=False, min_width=60)
        table.add_column(style="bold")
        table.add_column()
        for name, value in self.facts(restarts).items():
            alarming = name in {"gaps", "parked"} and value != "0"
            table.add_row(name, value, style="red" if alarming else None)
        queues = "\n".join(f"{load:>8,}  {name}" for name, load in self.last.top_queues[:5])
        table.add_row("top queues today", queues or "none yet")
        table.add_section()
        for what, url in urls.items():
            table.add_row(what, url)
        return table


def milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:,.0f} ms"


def accuracy(found: float, majority: float | None) -> str:
    """Live accuracy beside the one that always naming the most frequent class would have."""
    beside = "" if majority is None else f" (the majority class alone: {majority:.3f})"
    return f"{found:.3f}{beside}"
