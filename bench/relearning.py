"""A classifier worker that learns: its memory while it does, and its restart on a long log."""

import asyncio
import csv
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer

from bench.classification_data import TicketSet, banking, data_directory, made_up
from bench.processes import cpu_seconds, resident
from bench.row import Row, row
from bench.stores import Stores
from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from services.simulator.adapters.http_client import HttpClient, Unreachable
from shared.clock import utc_now
from shared.events import CorrectionLogEvent, RefitDue, TicketCorrected
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED
from tests.deadlines import eventually

READY = 200
NEW_TOPICS = 10
# Corrections made while the worker was down.
MEANWHILE = 500
SAMPLE_SECONDS = 0.02
PATIENCE_SECONDS = 1_800
MOST_MB = 400


def rows(stores: Stores, *, quick: bool) -> list[Row]:
    """MB, as the kernel counts them, and seconds."""
    asyncio.run(create_topics(KafkaSettings(bootstrap_servers=stores.bootstrap)))
    root = data_directory()
    tickets = made_up() if root is None else banking(root)
    corrections = 2_000 if quick else 100_000
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        bench = _Bench(stores, tickets, Path(folder))
        try:
            return [*bench.memory(), *bench.restart(corrections, refits=3 if quick else 8)]
        finally:
            bench.worker.kill()


class _Bench:
    """One worker over one log, whose events go on from part to part."""

    def __init__(self, stores: Stores, tickets: TicketSet, folder: Path) -> None:
        self._bootstrap = stores.bootstrap
        self._tickets = tickets
        self._numbers = count()
        self._written = 0
        (port,) = free_ports(1)
        self._url = f"http://127.0.0.1:{port}"
        models = _trained(tickets, folder)
        self.worker = ChildProcess(
            "classifier",
            [sys.executable, "-m", "services.classifier"],
            log=folder / "log",
            environment={
                "KAFKA_BOOTSTRAP_SERVERS": stores.bootstrap,
                "CLASSIFIER_MODELS": str(models),
                "CLASSIFIER_PORT": str(port),
                # As the local runner names it: no restart waits for its predecessor's session.
                "INTAKE_MEMBER_ID": "classifier",
                # With bytecode, as installed packages have it; the first start writes it.
                "PYTHONDONTWRITEBYTECODE": "",
                "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
            },
        )

    def memory(self) -> list[Row]:
        """Of a worker that serves, and its peak while refits with new words follow each other."""
        self.worker.start()
        asyncio.run(self._caught_up())
        loaded = resident(self.worker.pid)
        with _Peak(self.worker.pid) as peak:
            for _ in range(6):
                self._write(self._corrections(40))
                self._write([self._mark(), *self._corrections(3), self._mark()])
                asyncio.run(self._caught_up())
        name = f"{self._tickets.name}: worker"
        return [
            row(f"{name} with a model, resident", loaded["Rss"], "MB", at_most=MOST_MB),
            *_memory(f"{name} at its peak, refits under way", peak),
        ]

    def restart(self, corrections: int, refits: int) -> list[Row]:
        """From the start of the process until it is ready with every correction in force.

        While it was down, people went on correcting, and a refit became due.
        """
        log = f"{corrections:,} corrections in the log"
        with _Peak(self.worker.pid) as peak:
            for _ in range(refits):
                self._write([*self._corrections(corrections // refits), self._mark()])
                asyncio.run(self._caught_up())
        self.worker.kill()
        self._write([*self._corrections(MEANWHILE), self._mark()])
        most = _memory(f"{self._tickets.name}: worker at its peak with {log}", peak)
        name = f"{self._tickets.name}: restart with {log}"
        warm = self._started(name + ", snapshot and rest", at_most=5)
        self.worker.kill()
        for kept in self._snapshots():
            kept.rename(kept.with_name(f"gone-{kept.name}"))
        return [*most, *warm, *self._started(f"{name}, no snapshot, {refits + 1} refits")]

    def _started(self, name: str, at_most: float | None = None) -> list[Row]:
        began = time.perf_counter()
        self.worker.start()
        with _Peak(self.worker.pid) as peak:
            asyncio.run(eventually(self._serving, PATIENCE_SECONDS, what="the worker serves"))
            ready, spent = time.perf_counter() - began, cpu_seconds(self.worker.pid)
            asyncio.run(self._caught_up())
        settled = time.perf_counter() - began
        return [
            row(f"{name}: until it labels", ready, "s", at_most=at_most),
            row(f"{name}: CPU of that", spent, "s"),
            row(f"{name}: until the last refit is done too", settled, "s"),
            *_memory(f"{name}, at its peak", peak),
        ]

    def _snapshots(self) -> list[Path]:
        return [path.parent for path in self.worker.log.parent.rglob(".snapshots/*/manifest.json")]

    def _corrections(self, how_many: int) -> Iterator[CorrectionLogEvent]:
        """Tickets said a little otherwise, most with their topic, some with a new one."""
        texts, labels = self._tickets.train.texts, self._tickets.train.labels
        for number in (next(self._numbers) for _ in range(how_many)):
            at, now = number % len(texts), utc_now()
            new = number % 5 == 0
            topic = f"new topic {number // 5 % NEW_TOPICS}" if new else labels[at]
            said = f"{texts[at]} zorb{number % 7_919:x}" + (f" {topic}" if new else "")
            yield TicketCorrected(
                event_id=f"c-{number}", ticket_id=f"t-{number}", corrected_at=now, received_at=now,
                actor="bench", topic=topic, body=said,
            )  # fmt: skip

    def _mark(self) -> RefitDue:
        return RefitDue(event_id=f"r-{next(self._numbers)}", received_at=utc_now())

    def _write(self, events: Iterator[CorrectionLogEvent] | list[CorrectionLogEvent]) -> None:
        values = [event.model_dump_json().encode() for event in events]
        asyncio.run(_send(self._bootstrap, values))
        self._written += len(values)

    async def _caught_up(self) -> None:
        await eventually(self._settled, PATIENCE_SECONDS, what="the worker has folded the log")

    async def _settled(self) -> bool:
        model = await self._model()
        return bool(model.get("settled")) and model["log_offset"] >= self._written

    async def _serving(self) -> bool:
        return int((await self._model()).get("log_offset", -1)) >= self._written

    async def _model(self) -> dict[str, Any]:
        """What the worker says of its model; nothing before it is ready."""
        client = HttpClient(self._url)
        try:
            ready, model = await client.get("/ready"), await client.get("/model")
        except Unreachable:
            return {}
        finally:
            await client.close()
        answered = ready.status == model.status == READY
        found: dict[str, Any] = orjson.loads(model.body) if answered else {}
        return found


class _Peak:
    """The largest of each figure of a process's memory, sampled while a `with` lasts."""

    def __init__(self, pid: int) -> None:
        self.of = resident(pid)
        self._pid = pid
        self._over = Event()
        self._thread = Thread(target=self._watch)

    def __enter__(self) -> "_Peak":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            found = resident(self._pid)
            self.of = {name: max(value, found[name]) for name, value in self.of.items()}


def _memory(name: str, peak: _Peak) -> list[Row]:
    """What counts against a worker, and what of it a machine could not take back."""
    return [
        row(f"{name}, resident", peak.of["Rss"], "MB", at_most=MOST_MB),
        row(f"{name}, of it no pages of files", peak.of["Anonymous"], "MB"),
    ]


async def _send(bootstrap: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        for value in values[:-1]:
            await producer.send(CORRECTED.name, value, partition=0)
        await producer.flush()
        await producer.send_and_wait(CORRECTED.name, values[-1], partition=0)


def _trained(tickets: TicketSet, folder: Path) -> Path:
    """A model as people train one, on the training tickets of a set."""
    corpus, models = folder / "corpus.csv", folder / "models"
    with corpus.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(("text", "topic"))
        lines.writerows(zip(tickets.train.texts, tickets.train.labels, strict=True))
    command = [sys.executable, "-m", "services.classifier", "train", "--data", str(corpus)]
    command += ["--text", "text", "--label", "topic", "--models", str(models)]
    subprocess.run(command, check=True, capture_output=True)
    return models
