"""The whole system as processes: a ticket goes in over HTTP, its label and load come out."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import free_ports
from deploy.local.settings import LocalSettings
from deploy.local.system import System
from deploy.local.workspace import CHECKOUT, Workspace
from tests.deadlines import wait_until

pytestmark = pytest.mark.e2e

PORTS = ("kafka", "redis", "gateway", "ingest", "classifier", "forecaster", "semantic")
NOW = datetime.now(UTC).replace(microsecond=0)


def run_module(module: str, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments], cwd=CHECKOUT, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()[-2_000:]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of 3,000 made-up tickets: enough to be right about plain ones."""
    folder = tmp_path_factory.mktemp("models")
    corpus = folder / "corpus.csv"
    made = ["--to-csv", str(corpus), "--tickets", "3000", "--seed", "3"]
    run_module("services.simulator", *made)
    columns = ["--text", "text", "--label", "topic", "--priority", "priority"]
    run_module(
        "services.classifier", "train", "--data", str(corpus), *columns, "--models", str(folder)
    )
    return folder


@pytest.fixture(scope="module")
def settings() -> LocalSettings:
    chosen = {f"{n}_port": p for n, p in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    return LocalSettings(**chosen, kafka_bootstrap_servers=None, redis_url=None)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def system(
    settings: LocalSettings, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[System]:
    workspace = Workspace(tmp_path_factory.mktemp("system"))
    with System(settings, workspace, models=models, announce=print) as running:
        running.await_ready()
        yield running


@pytest.fixture
def gateway(system: System, settings: LocalSettings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.gateway, timeout=10) as client:
        yield client


@pytest.fixture
def ingest(system: System, settings: LocalSettings) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=settings.ingest, timeout=10) as client:
        yield client


def an_event(number: int, **changes: object) -> dict[str, object]:
    return {
        "event_id": f"journey-{number}",
        "ticket_id": f"J-{number}",
        "created_at": NOW.isoformat(),
        "subject": "VPN",
        "body": "The VPN tunnel drops and I cannot connect from home",
        "requester": "ann@example.org",
        "channel": "mail",
        **changes,
    }


def ticket(gateway: httpx.Client, ticket_id: str) -> dict[str, object]:
    def found() -> dict[str, object] | None:
        answer = gateway.get(f"/api/v1/tickets/{ticket_id}")
        return answer.json() if answer.status_code == 200 else None

    record = wait_until(found, 60, what=f"{ticket_id} is readable")
    assert record is not None
    return record


def test_a_ticket_is_labelled_counted_and_served(
    ingest: httpx.Client, gateway: httpx.Client
) -> None:
    before = gateway.get("/api/queues").json()["total_load"]
    answer = ingest.post("/v1/events", json=[an_event(n) for n in range(10)])
    assert (answer.status_code, answer.json()) == (202, {"accepted": 10})
    record = ticket(gateway, "J-9")
    assert record["topic"]
    assert "ann@example.org" not in json.dumps(record)
    for number in range(10):
        ticket(gateway, f"J-{number}")

    def total() -> int:
        return int(gateway.get("/api/queues").json()["total_load"])

    wait_until(lambda: total() == before + 10, what="all ten are counted")
    history = gateway.get("/api/historical", params={"queue_id": 0, "granularity": "daily"}).json()
    assert sum(history["values"]) == before + 10


def test_the_same_event_twice_counts_once(ingest: httpx.Client, gateway: httpx.Client) -> None:
    for _ in range(2):
        ingest.post("/v1/events", json=an_event(100)).raise_for_status()
    ingest.post(
        "/v1/events", json=an_event(101, ticket_id="J-100", body="later")
    ).raise_for_status()

    def totals() -> dict[str, int]:
        answer: dict[str, int] = gateway.get("/api/v1/status").json()["totals"]
        return answer

    wait_until(lambda: totals()["updated"] >= 1, 60, what="the later event is projected")
    after = totals()
    assert after["labelled"] == after["counted"] + after["updated"] + after["duplicates"]
    assert (after["duplicates"], after["gaps"]) == (1, 0)


def test_a_correction_is_shown_beside_the_models_word(
    ingest: httpx.Client, gateway: httpx.Client
) -> None:
    ingest.post("/v1/events", json=an_event(200)).raise_for_status()
    predicted = ticket(gateway, "J-200")["topic"]
    correction = {"ticket_id": "J-200", "actor": "kim", "topic": "a topic nobody knew"}
    ingest.post("/v1/corrections", json=correction).raise_for_status()

    def corrected() -> bool:
        return ticket(gateway, "J-200")["topic"] == "a topic nobody knew"

    wait_until(corrected, 60, what="the human's word is shown")
    record = ticket(gateway, "J-200")
    assert isinstance(record["predicted"], dict)
    assert record["predicted"]["topic"] == predicted


def test_the_demo_ends_by_itself_and_agrees_with_itself(tmp_path: Path) -> None:
    chosen = zip(PORTS, free_ports(len(PORTS)), strict=True)
    ports = {f"{name.upper()}_PORT": str(port) for name, port in chosen}
    # A folder of its own: a demo that runs in the same checkout is none of this test's business.
    own = {"DESKSTREAM_LOCAL": str(tmp_path), "DEMO_SECONDS": "10", "DEMO_RATE": "40"}
    environment = {**os.environ, **ports, **own}
    for given in ("KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"):
        environment.pop(given, None)
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "demo"],
        cwd=CHECKOUT,
        env=environment,
        capture_output=True,
        check=False,
    )
    text = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 0, text[-3_000:]
    assert "accepted" in text
    assert "labelled" in text
