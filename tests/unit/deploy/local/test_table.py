"""What the demo shows: counts, rate and latency of the last seconds, alarms in words."""

import math

from rich.console import Console

from deploy.local.observation import SimulatorReport, Snapshot
from deploy.local.table import Progress
from shared.read_model import Totals


def _look(at: float, counted: int, **more: object) -> Snapshot:
    totals = Totals(labelled=counted, counted=counted)
    buckets = {0.01: counted / 2, 0.02: float(counted), math.inf: float(counted)}
    report = SimulatorReport(accepted=counted + 5)
    fields = {"report": report, "totals": totals, "end_to_end": buckets, **more}
    return Snapshot(at=at, **fields)  # type: ignore[arg-type]


def test_before_anything_arrived() -> None:
    facts = Progress().facts(restarts=0)
    assert facts["counted"] == "0"
    assert facts["end to end"] == "p50 -, p99 -"


def test_rate_and_latency_are_of_the_window_and_not_of_all_time() -> None:
    progress = Progress()
    progress.add(_look(0, 1_000_000))
    for second in range(100, 106):
        progress.add(_look(second, 1_000_000 + 50 * second))
    assert progress.per_second() == 50
    assert progress.facts(restarts=2)["restarts"] == "2"
    assert "p50 10 ms" in progress.line(restarts=0)


def test_accuracy_stands_beside_the_majority_class() -> None:
    progress = Progress()
    report = SimulatorReport(accepted=9, accuracy=0.871, majority_accuracy=0.285)
    progress.add(_look(0, 9, report=report))
    assert "accuracy 0.871 (the majority class alone: 0.285)" in progress.line(restarts=0)


def test_the_table_names_queues_and_pages() -> None:
    progress = Progress()
    progress.add(_look(0, 9, top_queues=(("IT/Network", 7),)))
    console = Console(record=True, width=100, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    console.print(progress.table(0, {"first page": "http://127.0.0.1:8000"}))
    shown = console.export_text()
    assert "7  IT/Network" in shown
    assert "http://127.0.0.1:8000" in shown
