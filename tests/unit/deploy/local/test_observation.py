"""What the demo reads over HTTP: counts of this run, the last look where nothing answers."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.local.latency import quantile
from deploy.local.observation import Observer
from deploy.local.settings import LocalSettings

METRICS = """\
# TYPE deskstream_parked counter
deskstream_parked_total{service="classifier",reason="poison"} 2.0
deskstream_parked_total{service="classifier",reason="oversize"} 1.0
# TYPE deskstream_end_to_end_seconds histogram
deskstream_end_to_end_seconds_bucket{le="0.01"} 5.0
deskstream_end_to_end_seconds_bucket{le="+Inf"} 10.0
deskstream_end_to_end_seconds_count 10.0
deskstream_end_to_end_seconds_sum 1.0
"""


class Services:
    """A real HTTP server that answers as gateway, classifier and forecaster together."""

    def __init__(self) -> None:
        self.answers: dict[str, str] = {}
        services = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = services.answers.get(self.path)
                self.send_response(200 if body is not None else 503)
                self.end_headers()
                self.wfile.write((body or "").encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def count(self, counted: int) -> None:
        status = {
            "totals": {"labelled": counted, "counted": counted, "gaps": 0},
            "top_queues": [{"id": 1, "name": "IT/VPN", "today": 7}],
        }
        self.answers["/api/v1/status"] = json.dumps(status)
        self.answers["/api/queues"] = json.dumps({"queues_by_level": {}, "total_load": counted})


@pytest.fixture
def services() -> Iterator[Services]:
    made = Services()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture
def observer(services: Services, tmp_path: Path) -> Iterator[Observer]:
    port = services.server.server_address[1]
    settings = LocalSettings(gateway_port=port, classifier_port=port, forecaster_port=port)
    made = Observer(settings, tmp_path / "report.json")
    yield made
    made.close()


def test_counts_are_those_of_this_run(services: Services, observer: Observer) -> None:
    services.count(1000)
    observer.begin()
    services.count(1042)
    assert observer.look().totals.counted == 42
    assert observer.queue_load() == 42
    assert observer.look().top_queues == (("IT/VPN", 7),)


def test_parked_records_and_latency_come_from_the_metrics(
    services: Services, observer: Observer
) -> None:
    services.answers["/metrics"] = METRICS
    look = observer.look()
    assert look.parked == 2 * 3  # both services answer the same here
    assert quantile(look.end_to_end, 0.5) == 0.01


def test_the_last_look_stands_where_nothing_answers(services: Services, observer: Observer) -> None:
    services.count(5)
    services.answers["/metrics"] = METRICS
    before = observer.look()
    services.answers.clear()
    after = observer.look()
    assert (after.totals, after.parked, after.end_to_end) == (
        before.totals,
        before.parked,
        before.end_to_end,
    )
    assert after.at > before.at


def test_the_report_is_read_as_it_grows(observer: Observer, tmp_path: Path) -> None:
    assert observer.report().accepted == 0
    (tmp_path / "report.json").write_text('{"accepted": 7, "accuracy": 0.5, "new_field": 1}')
    assert observer.look().report.accepted == 7
    (tmp_path / "report.json").write_text('{"accep')  # caught while it is written
    assert observer.look().report.accepted == 7
