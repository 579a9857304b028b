"""End to end: from the intended time of a post to its label being readable at the gateway.

Open loop: posts start when they are due, however slow the answers, and count from then. Some
tickets a second, at each load as many, are asked for at the gateway until they are there, which is
the figure. Asking for all of them would measure the asking: an answer costs as much as a label.
Second looks stand on the same cores and are not needed for a label: without them is the baseline.
"""

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from bench.row import Row, row
from deploy.local.models import ensure_model
from deploy.local.ports import free_ports
from deploy.local.settings import LocalSettings
from deploy.local.system import System
from deploy.local.workspace import Workspace
from services.simulator.adapters.http_client import HttpClient, Unreachable
from services.simulator.load import OpenLoop, Outcome, Request
from shared.clock import monotonic, utc_now

# Posts per second and the promised 99th percentile in milliseconds.
LOADS = ((100, None), (500, 50.0), (1_000, 100.0))
ASKED_PER_SECOND = 10
ASK_SECONDS = 0.004
FOUND = 200
WARM_UP_SECONDS = 5


def rows(*, quick: bool) -> list[Row]:
    """The 50th and 99th percentile at each load, on one machine with broker and Valkey."""
    seconds, rounds = (5, 1) if quick else (30, 2)
    with TemporaryDirectory(prefix="deskstream-bench-") as folder:
        settings, workspace = _settings(Path(folder))
        models = ensure_model(None, Workspace(), print)
        with System(settings, workspace, models=models, announce=print) as system:
            system.await_ready()
            probe = Probe(settings)
            found: list[Row] = []
            for rate, promise in LOADS:
                # In turn: what else the machine does meets both alike.
                beside, alone = [], []
                for _ in range(rounds):
                    # For whoever has just started, and has something to catch up with.
                    asyncio.run(probe.run(rate, WARM_UP_SECONDS))
                    beside += asyncio.run(probe.run(rate, seconds))
                    with system.without_second_looks():
                        alone += asyncio.run(probe.run(rate, seconds))
                for share, target in ((0.50, None), (0.99, promise)):
                    found.append(
                        row(
                            f"end to end, {rate}/s, p{share * 100:.0f}",
                            _percentile(beside, share),
                            "ms",
                            baseline="without second looks",
                            baseline_value=_percentile(alone, share),
                            at_most=target,
                        )
                    )
    return found


def _settings(folder: Path) -> tuple[LocalSettings, Workspace]:
    names = ("kafka", "redis", "gateway", "ingest", "classifier", "forecaster", "semantic")
    chosen = {f"{n}_port": p for n, p in zip(names, free_ports(len(names)), strict=True)}
    return LocalSettings(**chosen), Workspace(folder)  # type: ignore[arg-type]


async def _readable(gateway: HttpClient, path: str) -> bool:
    try:
        return (await gateway.get(path)).status == FOUND
    except Unreachable:  # the server closed a connection that had been idle
        return False


def _percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] * 1000


class Probe:
    """Posts to ingest on schedule and asks the gateway for a sample of the tickets."""

    def __init__(self, settings: LocalSettings) -> None:
        self._settings = settings
        self._run = 0

    async def run(self, rate: int, seconds: int) -> list[float]:
        """Latencies of the sample, in seconds. Raises RuntimeError when a post is refused."""
        self._run += 1
        ingest = HttpClient(self._settings.ingest, connections=128)
        gateway = HttpClient(self._settings.gateway, connections=32)
        latencies: list[float] = []
        start = monotonic()

        async def ask(number: int, due: float) -> None:
            path = f"/api/v1/tickets/{self._name(number)}"
            while not await _readable(gateway, path):  # noqa: ASYNC110 - not of this process
                await asyncio.sleep(ASK_SECONDS)
            latencies.append(monotonic() - start - due)

        def done(outcome: Outcome) -> None:
            if not outcome.accepted:
                raise RuntimeError(f"a post was answered with {outcome.status}")

        try:
            async with asyncio.TaskGroup() as group:

                def schedule() -> Iterator[Request]:
                    for number in range(rate * seconds):
                        due = number / rate
                        if number % (rate // ASKED_PER_SECOND) == 0:
                            group.create_task(ask(number, due))
                        yield Request(due, "/v1/events", lambda n=number: self._body(n))  # type: ignore[misc]

                await OpenLoop(ingest).run(schedule(), done)
        finally:
            await ingest.close()
            await gateway.close()
        return latencies

    def _name(self, number: int) -> str:
        return f"L{self._run}-{number}"

    def _body(self, number: int) -> bytes:
        dice = random.Random(number)
        words = ("vpn", "printer", "invoice", "password", "slow", "broken", "since", "morning")
        return orjson.dumps(
            {
                "event_id": f"{self._name(number)}-e",
                "ticket_id": self._name(number),
                "created_at": utc_now(),
                "subject": "It does not work",
                "body": " ".join(dice.choices(words, k=24)),
                "requester": f"user{number % 500}",
                "channel": "mail",
            }
        )
