"""A retrained model on a real broker: through ingest into two workers, and kept over restarts."""

import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from aiokafka import AIOKafkaProducer

from deploy.local.broker import LocalBroker
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from deploy.local.valkey import LocalValkey
from deploy.local.workspace import CHECKOUT
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED
from tests.chaos.models import train
from tests.deadlines import wait_until
from tests.integration.test_learning import Worker
from tests.unit.classifier.training.journal import correction, logs, tickets

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

START_SECONDS = 90
PARTITIONS = 4


class Desk:
    """Broker, ingest, two workers and a store of models."""

    def __init__(self, bootstrap: str, redis: str, folder: Path) -> None:
        (port,) = free_ports(1)
        self.bootstrap = bootstrap
        self.models = train(folder / "models")
        self.url = f"http://127.0.0.1:{port}"
        self.ingest = ChildProcess(
            "ingest",
            [sys.executable, "-m", "services.ingest"],
            log=folder / "ingest.log",
            environment={
                "KAFKA_BOOTSTRAP_SERVERS": bootstrap,
                "REDIS_URL": redis,
                "INGEST_PORT": str(port),
                "INGEST_REFIT_PAUSE": "0.5",
            },
        )
        self.workers = [Worker(n, bootstrap, self.models, folder) for n in range(2)]

    def start(self) -> None:
        self.ingest.start()
        wait_until(self._answers, START_SECONDS, what="ingest answers")
        for worker in self.workers:
            worker.start()

    def retrain(self, *options: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "services.classifier", "retrain", *options],
            cwd=CHECKOUT, capture_output=True, text=True, check=False,
            env=os.environ
            | {
                "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap,
                "CLASSIFIER_MODELS": str(self.models),
                "CLASSIFIER_INGEST_URL": self.url,
            },
        )  # fmt: skip

    def history(self) -> None:
        """What a desk of other topics left in the logs, as ingest and a classifier write it."""
        corrections, labels = logs(tickets(900, seed=1))

        async def write() -> None:
            async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all") as producer:
                for event in corrections:
                    value = event.model_dump_json().encode()
                    await producer.send(CORRECTED.name, value, partition=0)
                for number, label in enumerate(labels):
                    value = label.model_dump_json().encode()
                    await producer.send(LABELLED.name, value, partition=number % PARTITIONS)
                await producer.flush()

        asyncio.run(write())

    def offset(self) -> int:
        """How far the first worker has read the log."""
        return int(self.workers[0].model()["log_offset"])

    def agreed(self, version: str, offset: int = 0) -> str:
        """The probe digest of both, once at one offset, this or later, with this model."""

        def found() -> str:
            models = [worker.model() for worker in self.workers]
            if models[0]["log_offset"] < offset:
                return ""
            same = {(m["version"], m["log_offset"], m["probe_digest"]) for m in models}
            there = all(m["settled"] and m["version"] == version for m in models)
            return str(models[0]["probe_digest"]) if there and len(same) == 1 else ""

        return wait_until(found, 90, what=f"both workers answer from {version}")

    def ready(self, worker: Worker) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(f"{worker.url}/ready", timeout=10).json()
        return answer

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


@pytest.fixture
def desk(broker: LocalBroker, valkey: LocalValkey, tmp_path: Path) -> Iterator[Desk]:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=PARTITIONS)
    asyncio.run(create_topics(settings))
    desk = Desk(broker.bootstrap_servers, valkey.url, tmp_path)
    try:
        yield desk
    finally:
        for each in (desk.ingest, *(worker.process for worker in desk.workers)):
            each.kill()


def test_a_promotion_reaches_all_workers_alike_and_outlives_them(
    desk: Desk, tmp_path: Path
) -> None:
    desk.history()
    desk.start()
    out = tmp_path / "rounds.json"
    done = desk.retrain("--json", str(out))
    assert done.returncode == 0, done.stderr
    [found] = json.loads(out.read_text())
    assert found["outcome"] == "promoted", done.stdout
    digest = desk.agreed(found["version"])
    for worker in desk.workers:
        assert worker.topic("router tunnel dns") == "net"

    known = desk.offset()
    # What is corrected later stands on it, in both workers alike.
    body = correction(0, tickets(1)[0]).model_dump(mode="json", include={"ticket_id", "topic"})
    body |= {"actor": "kim", "topic": "beamers", "body": "the projector stays dark"}
    httpx.post(f"{desk.url}/v1/corrections", json=body, timeout=10).raise_for_status()
    for worker in desk.workers:
        wait_until(
            lambda w=worker: w.topic("the projector stays dark") == "beamers",  # type: ignore[misc]
            what="a later correction is in force",
        )
    # The correction and the mark that follows it: after that nothing changes the model.
    after = desk.agreed(found["version"], known + 2)
    assert after != digest

    # With its snapshots and without them a worker comes back to the same bits.
    first, second = desk.workers
    for worker in (first, second):
        worker.process.kill()
    shutil.rmtree(tmp_path / "snapshots-1", ignore_errors=True)
    first.start()
    second.start()
    assert desk.agreed(found["version"]) == after


def test_a_damaged_artifact_is_not_taken_up_until_it_is_whole(desk: Desk, tmp_path: Path) -> None:
    desk.history()
    desk.start()
    out = tmp_path / "rounds.json"
    # Saved but not promoted: nobody listens there.
    done = desk.retrain("--ingest", "http://127.0.0.1:1")
    assert done.returncode == 1
    assert "retrain --promote" in done.stderr
    version = done.stderr.split("--promote ")[1].split("`")[0]
    path = desk.models / version / "arrays.npz"
    whole = path.read_bytes()
    draw = random.Random(1)
    path.write_bytes(whole[:-100] + draw.randbytes(100))
    promoted = {
        "actor": "kim", "version": version, "log_offset": 100,
        "digest": json.loads((desk.models / version / "manifest.json").read_text())["digest"],
    }  # fmt: skip
    httpx.post(f"{desk.url}/v1/promotions", json=promoted, timeout=10).raise_for_status()

    for worker in desk.workers:
        said = wait_until(
            lambda w=worker: said if version in (said := json.dumps(desk.ready(w))) else "",  # type: ignore[misc]
            60,
            what="a worker says what it lacks",
        )
        assert "checksum" in said
        assert worker.topic("the vpn router") == "Network"
    old = desk.workers[0].model()["version"]
    assert old != version
    assert not out.exists()

    # Whole again: each worker ends, and comes back to what it would have been all along.
    path.write_bytes(whole)
    for worker in desk.workers:
        wait_until(lambda w=worker: not w.process.is_alive(), 60, what="the worker ends")  # type: ignore[misc]
        worker.start()
    desk.agreed(version)
