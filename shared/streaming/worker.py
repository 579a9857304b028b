"""A stream worker: a Faust app whose agents get chunks, its HTTP port, and its watchdog."""

import asyncio
import contextlib
import gc
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import faust
import uvicorn
from fastapi import FastAPI
from faust.app.base import BootStrategy
from mode import Service

from shared.admission import admit
from shared.http.listening import listen
from shared.settings import KafkaSettings
from shared.streaming.chunk import Chunk, Rewind, Stage
from shared.streaming.intake import Intake, StartingPoint
from shared.streaming.settings import IntakeSettings
from shared.streaming.watchdog import LastResort, Watchdog, die, hard_exit_after

log = logging.getLogger(__name__)

# Above the longest rebalance; a poll loop silent for longer is stuck, not slow.
STUCK_SECONDS = 90.0
# No single step of compiled code that keeps all threads from running takes a tenth of this.
SEIZED_SECONDS = 60.0
BEAT_SECONDS = 1.0
# Below the 25 s that compose and Kubernetes are told to wait.
STOP_SECONDS = 20.0
# An assignment may be empty while the group forms, or for a spare member, but not for ever.
EMPTY_SECONDS = 60.0


class _WithoutTopics(BootStrategy):  # type: ignore[misc]
    """Faust's documented hook: this app has channels and services, but no topics of its own."""

    enable_kafka = False

    def tables(self) -> list[Any]:
        return []


class _App(faust.App):  # type: ignore[misc]
    BootStrategy = _WithoutTopics


class _Worker(faust.Worker):  # type: ignore[misc]
    async def on_stop(self) -> None:
        hard_exit_after(STOP_SECONDS)
        await super().on_stop()


class _HttpServer(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # the Faust worker owns the signals


class _HttpPort(Service):  # type: ignore[misc]
    """The worker's HTTP port, in the same event loop."""

    def __init__(self, app: FastAPI, host: str, port: int) -> None:
        super().__init__()
        # Bound here, so that a port already taken is one clear sentence before anything starts.
        self._socket = listen(host, port)
        config = uvicorn.Config(app, log_config=None, access_log=False, lifespan="off")
        self._server = _HttpServer(config)
        self._closed = asyncio.Event()

    @Service.task  # type: ignore[untyped-decorator]
    async def _serve(self) -> None:
        try:
            await self._server.serve(sockets=[self._socket])
        finally:
            self._closed.set()

    async def on_stop(self) -> None:
        self._server.should_exit = True
        await asyncio.wait_for(self._closed.wait(), STOP_SECONDS / 4)


class StreamWorker:
    """Built by a service's app module: `add` what it needs, `consume` topics, `serve`, `run`."""

    def __init__(self, name: str, kafka: KafkaSettings) -> None:
        self._kafka = kafka
        self._intakes: list[Intake] = []
        self._work: set[asyncio.Task[None]] = set()
        self._alive_at = time.monotonic()
        self._watchdogs = [Watchdog(self.silence, STUCK_SECONDS)]
        self._app = _App(
            name,
            # Nothing of Faust ever connects: what does is made of the same settings.
            broker=f"kafka://{kafka.bootstrap_servers}",
            # Faust makes a folder for tables, which nobody here has: all share an empty one.
            datadir=Path(tempfile.gettempdir(), "deskstream-faust"),
            topic_allow_declare=False,
            topic_disable_leader=True,
            web_enabled=False,
            worker_redirect_stdouts=False,
            table_standby_replicas=0,
        )
        self._app.task(self._started)

    def add(self, service: Service) -> None:
        """Start `service` with the worker, before what is added later; stop it after that."""
        self._app.service(service)

    def consume(
        self,
        topic: str,
        stage: Stage[Any],
        *,
        group: str,
        settings: IntakeSettings,
        starting_point: StartingPoint | None = None,
    ) -> Intake:
        """Have `stage` work on every chunk of `topic`, in order per partition."""
        channel = self._app.channel(maxsize=1024)
        intake = Intake(
            channel,
            topic,
            kafka=self._kafka,
            group=group,
            settings=settings,
            die=die,
            starting_point=starting_point,
        )

        async def work(stream: Any) -> None:
            async for chunks in stream:
                for chunk in chunks:
                    # A task each: a chunk is prepared while the one before is being delivered.
                    task = asyncio.create_task(self._process(intake, stage, chunk))
                    self._work.add(task)
                    task.add_done_callback(self._work.discard)

        self._app.agent(channel, name=f"{self._app.conf.id}.{topic}")(work)
        self._intakes.append(intake)
        self.add(intake)
        return intake

    def watch(self, age: Callable[[], float], limit: float, what: str) -> None:
        """End the process when `age()` exceeds `limit` seconds, see Watchdog."""
        self._watchdogs.append(Watchdog(age, limit, what))

    @contextlib.asynccontextmanager
    async def busy(self) -> AsyncIterator[None]:
        """While inside, a turning event loop is sign of life enough: no intake polls yet.

        For what takes longer than a poll loop may be silent, before the first record.
        """

        async def beat() -> None:
            while True:
                self._alive_at = time.monotonic()
                await asyncio.sleep(BEAT_SECONDS)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()

    def serve(self, http: FastAPI, host: str, port: int) -> None:
        """Answer `http` on the worker's own port."""
        self.add(_HttpPort(http, host, port))

    async def kafka_ready(self) -> str | None:
        """The readiness check of every stream worker: does it have its share and poll it?

        The share may be nothing: whoever joins a group that has fewer partitions than members is
        a spare, and good for whatever else the process answers.
        """
        for intake in self._intakes:
            silent = time.monotonic() - intake.last_poll
            if silent > EMPTY_SECONDS / 4:
                return f"{intake.topic} was not polled for {silent:.0f} s"
            if not intake.handed_out:
                return f"no partition of {intake.topic} is assigned to anyone yet: is it there?"
        return None

    def run(self) -> NoReturn:
        """Until SIGTERM or SIGINT. Ends the process, or raises Misconfigured: Kafka refuses it."""
        # A loop of its own, which leaves the one of Faust alone.
        with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
            runner.run(admit(self._kafka))
        # Worth 5 to 10 % of throughput: batches make garbage in bulk and hardly any cycles.
        # Before the first record: a collection takes a fifth of a second.
        gc.collect()
        gc.freeze()
        gc.set_threshold(50_000, 20, 50)
        worker = _Worker(self._app, quiet=True, override_logging=False, loglevel=None)
        # Even when quiet, Faust's spinner writes cursor codes to standard output.
        worker.spinner = None
        worker.execute_from_commandline()
        raise SystemExit(0)

    async def _started(self) -> None:
        # Nothing else resumes Faust's flow control in an app without topics of its own.
        self._app.flow_control.resume()
        for watchdog in self._watchdogs:
            watchdog.start()
        LastResort(SEIZED_SECONDS).start()

    def silence(self) -> float:
        """Seconds since the least alive intake polled, or the worker was busy."""
        polled = min(intake.last_poll for intake in self._intakes)
        return time.monotonic() - max(polled, self._alive_at)

    async def _process(self, intake: Intake, stage: Stage[Any], chunk: Chunk) -> None:
        try:
            prepared = await stage.prepare(chunk)
            if await chunk.turn():
                await stage.deliver(chunk, prepared)
                chunk.finish()
        except Rewind:
            await self._rewind(intake, chunk)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            # Never a later chunk after a failed one: what was not acknowledged is read again.
            log.exception("chunk %s@%s", chunk.partition, chunk.start)
            die(f"{chunk.partition}@{chunk.start}: {error!r}")

    async def _rewind(self, intake: Intake, chunk: Chunk) -> None:
        try:
            await intake.rewind(chunk.partition)
        except Exception as error:
            log.exception("rewind of %s", chunk.partition)
            die(f"rewind of {chunk.partition}: {error!r}")
