"""The demo: a made-up or real helpdesk posts tickets to the whole system, and a table shows it."""

import asyncio
import math
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from rich.console import Console
from rich.live import Live

from deploy.local.models import LEARNED_SHARE, RealTickets, ensure_model
from deploy.local.observation import Observer
from deploy.local.processes import ChildProcess
from deploy.local.settings import LocalSettings
from deploy.local.system import System
from deploy.local.table import Progress, accuracy, milliseconds
from deploy.local.verdict import Ends, Outcome, census, ends
from deploy.local.workspace import Workspace

LOOK_SECONDS = 1.0
TICK_SECONDS = 0.2
LINE_SECONDS = 5.0
# After the last ticket: until its correction is posted and everything is counted.
CATCH_UP_SECONDS = 120.0
REPLAY_RATE = 200.0


class Demo:
    """One run, from the first process to the verdict."""

    def __init__(self, settings: LocalSettings, workspace: Workspace, console: Console) -> None:
        self._settings = settings
        self._workspace = workspace
        self._console = console
        self._tickets = RealTickets.find(settings)
        self._report = workspace.run / "simulator.json"
        self._progress = Progress()

    @property
    def _ends_by_itself(self) -> bool:
        return self._settings.demo_seconds > 0 or self._tickets is not None

    def run(self) -> int:
        """0: every ticket was counted once. 1: not, and the reasons were printed."""
        say = self._say
        models = ensure_model(self._tickets, self._workspace, say)
        say("Starting Kafka, Valkey and the services ...")
        with System(self._settings, self._workspace, models=models, announce=say) as system:
            system.await_ready()
            for what, url in self._settings.pages.items():
                say(f"  {what:<18} {url}")
            with closing(Observer(self._settings, self._report)) as observer:
                start = asyncio.run(ends(system.bootstrap_servers))
                observer.begin()
                simulator = self._simulator(system)
                simulator.start()
                try:
                    self._follow(system, simulator, observer)
                except KeyboardInterrupt:
                    if self._ends_by_itself:
                        raise
                    # The way an endless demo ends. Tickets are under way, so nothing is judged.
                    say(self._progress.line(system.supervisor.restarts))
                    say("Stopping ...")
                    return 0
                finally:
                    simulator.stop()
                return self._judge(system, simulator, observer, start)

    def _simulator(self, system: System) -> ChildProcess:
        settings = self._settings
        arguments = ["--report", str(self._report), "--url", settings.ingest]
        arguments += ["--gateway", settings.gateway, "--seed", str(settings.demo_seed)]
        if settings.demo_seconds:
            arguments += ["--duration", str(settings.demo_seconds)]
        rate = settings.demo_rate
        if self._tickets is not None:
            arguments += ["--from-csv", str(self._tickets.path), *self._tickets.columns]
            arguments += ["--skip", str(LEARNED_SHARE)]
            rate = max(rate, REPLAY_RATE)
        arguments += ["--rate", str(rate)]
        return system.process("simulator", "services.simulator", *arguments)

    def _follow(self, system: System, simulator: ChildProcess, observer: Observer) -> None:
        """Show progress until the simulator has ended and everything is counted, or is late."""
        seconds = self._settings.demo_seconds
        stop_at = time.monotonic() + seconds + CATCH_UP_SECONDS if seconds else math.inf
        with self._display(system) as show:
            while simulator.is_alive():
                self._tick(system, observer, show)
                if time.monotonic() > stop_at:
                    simulator.stop()
            give_up_at = time.monotonic() + CATCH_UP_SECONDS
            self._progress.add(observer.look())
            while self._behind() and time.monotonic() < give_up_at:
                self._tick(system, observer, show)
            show()

    def _tick(self, system: System, observer: Observer, show: Callable[[], None]) -> None:
        system.supervisor.watch()
        if time.monotonic() - self._progress.last.at >= LOOK_SECONDS:
            self._progress.add(observer.look())
            show()
        time.sleep(TICK_SECONDS)

    def _behind(self) -> bool:
        look = self._progress.last
        return look.totals.counted < look.report.accepted

    @contextmanager
    def _display(self, system: System) -> Iterator[Callable[[], None]]:
        if not self._console.is_terminal:
            yield self._lines(system)
            return
        with Live(console=self._console, auto_refresh=False) as live:

            def show() -> None:
                restarts = system.supervisor.restarts
                live.update(self._progress.table(restarts, self._settings.pages), refresh=True)

            yield show

    def _lines(self, system: System) -> Callable[[], None]:
        said_at = -math.inf

        def show() -> None:
            nonlocal said_at
            if time.monotonic() - said_at >= LINE_SECONDS:
                said_at = time.monotonic()
                self._say(self._progress.line(system.supervisor.restarts))

        return show

    def _judge(
        self, system: System, simulator: ChildProcess, observer: Observer, start: Ends
    ) -> int:
        """Compare what five places say, print it, answer the exit code."""
        look = observer.look()
        report, totals = look.report, look.totals
        outcome = Outcome(
            accepted=report.accepted,
            census=asyncio.run(census(system.bootstrap_servers, start)),
            counted=totals.counted,
            load=observer.queue_load(),
            duplicates=totals.duplicates,
            gaps=totals.gaps,
            parked=look.parked,
        )
        faults = outcome.faults()
        if simulator.returncode:
            words = simulator.last_words()
            faults.append(f"the simulator ended with code {simulator.returncode}: {words}")
        p50, p99 = (milliseconds(self._progress.overall(share)) for share in (0.5, 0.99))
        self._say(
            f"accepted {report.accepted:,}, labelled {outcome.census.labelled:,}, "
            f"counted {outcome.counted:,}, gaps {outcome.gaps}, parked {outcome.parked}, "
            f"duplicates {outcome.duplicates}, restarts {system.supervisor.restarts}, "
            f"end to end p50 {p50}, p99 {p99}"
        )
        if report.accuracy is not None:
            self._say(f"accuracy {accuracy(report.accuracy, report.majority_accuracy)}")
        for fault in faults:
            self._say(f"NOT KEPT: {fault}")
        if not faults:
            self._say("Every ticket that was accepted was labelled and counted, once.")
        return 1 if faults else 0

    def _say(self, text: str) -> None:
        self._console.print(text, highlight=False, markup=False, soft_wrap=True)
