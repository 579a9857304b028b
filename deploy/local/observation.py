"""What the running system says of itself over HTTP: totals, parked records, latency."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import BaseModel, ValidationError

from deploy.local.latency import Buckets
from deploy.local.settings import LocalSettings
from shared.read_model import Totals

END_TO_END = "deskstream_end_to_end_seconds_bucket"
PARKED = "deskstream_parked_total"


class SimulatorReport(BaseModel):
    """The file that the simulator keeps up to date. Accuracies are None before the first check."""

    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    corrections: int = 0
    checked: int = 0
    correct: int = 0
    accuracy: float | None = None
    majority_accuracy: float | None = None
    done: bool = False


class QueueCount(BaseModel):
    """A queue of the gateway's status and its tickets of today."""

    name: str
    today: int


class Status(BaseModel):
    """GET /api/v1/status of the gateway."""

    totals: Totals = Totals()
    top_queues: list[QueueCount] = []


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One look at everything. Counts are those of this run."""

    at: float = 0.0
    report: SimulatorReport = field(default_factory=SimulatorReport)
    totals: Totals = field(default_factory=Totals)
    top_queues: tuple[tuple[str, int], ...] = ()
    parked: int = 0
    end_to_end: Buckets = field(default_factory=dict)


class Observer:
    """Looks at report, gateway and metrics. Where one does not answer the last look stands."""

    def __init__(self, settings: LocalSettings, report: Path) -> None:
        self._settings = settings
        self._report = report
        self._client = httpx.Client(timeout=2.0)
        self._before = Totals()
        self._load_before = 0
        self._last = Snapshot()

    def begin(self) -> None:
        """Counts start from what is there now: a Redis that was given may have a past."""
        self._before = self._status().totals
        self._load_before = self._queue_load()

    def look(self) -> Snapshot:
        """Read everything once, a few milliseconds each."""
        last = self._last
        try:
            status = self._status()
            totals = _since(self._before, status.totals)
            queues = tuple((queue.name, queue.today) for queue in status.top_queues)
            last = replace(last, totals=totals, top_queues=queues)
        except (httpx.HTTPError, ValidationError):
            pass
        parked, end_to_end = 0, last.end_to_end
        for url in (self._settings.classifier, self._settings.forecaster):
            samples = self._metrics(url)
            parked += int(sum(value for name, _, value in samples if name == PARKED))
            found = {float(bound): value for name, bound, value in samples if name == END_TO_END}
            end_to_end = found or end_to_end
        # max: a restarted process counts its parked records from 0, the records are still there.
        parked = max(parked, last.parked)
        self._last = replace(
            last, at=time.monotonic(), report=self.report(), parked=parked, end_to_end=end_to_end
        )
        return self._last

    def report(self) -> SimulatorReport:
        """The simulator's file; the last good one where it is not there or half written."""
        try:
            return SimulatorReport.model_validate_json(self._report.read_bytes())
        except (OSError, ValidationError):
            return self._last.report

    def queue_load(self) -> int:
        """Tickets in the load windows of GET /api/queues, another path than the totals."""
        return self._queue_load() - self._load_before

    def _queue_load(self) -> int:
        answer = self._client.get(f"{self._settings.gateway}/api/queues", timeout=10)
        answer.raise_for_status()
        return int(answer.json()["total_load"])

    def close(self) -> None:
        self._client.close()

    def _status(self) -> Status:
        answer = self._client.get(f"{self._settings.gateway}/api/v1/status")
        answer.raise_for_status()
        return Status.model_validate_json(answer.content)

    def _metrics(self, url: str) -> Sequence[tuple[str, str, float]]:
        """(name, upper bound of a bucket or "", value) of the two metrics wanted."""
        try:
            answer = self._client.get(f"{url}/metrics")
        except httpx.HTTPError:
            return []
        families = text_string_to_metric_families(answer.text) if answer.is_success else []
        return [
            (sample.name, sample.labels.get("le", ""), sample.value)
            for family in families
            for sample in family.samples
            if sample.name in {END_TO_END, PARKED}
        ]


def _since(before: Totals, now: Totals) -> Totals:
    start = before.model_dump()
    return Totals(**{name: value - start[name] for name, value in now.model_dump().items()})
