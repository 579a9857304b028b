"""Posts tickets to ingest, made up or replayed, and shows how the labels fare."""

import asyncio
import itertools
import secrets
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from services.simulator.adapters.gateway import Gateway
from services.simulator.adapters.http_client import HttpClient
from services.simulator.app import Run
from services.simulator.corrections import Corrections
from services.simulator.domain.helpdesk import NEW_TOPIC, TOPICS, Agents
from services.simulator.follower import Follower
from services.simulator.load import OpenLoop
from services.simulator.plan import Planned, made_up, replayed
from services.simulator.status import Status, write_status
from shared.clock import utc_now
from shared.queues import QueueDirectory

# Without a terminal: a plain line now and then.
PLAIN_EVERY_TICKS = 5
# A simulated day of a level load: five minutes, an incident every quarter of an hour.
LEVEL_DAY_SECONDS = 300.0
# When an endless run shows its new topic.
ENDLESS_NEW_TOPIC_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class PostOptions:
    """The command line, read and checked."""

    url: str
    gateway: str | None
    rate: float
    duration: float | None
    tickets: int | None
    seed: int
    batch: int
    day: float | None
    connections: int
    from_csv: Path | None
    text: str
    label: str
    skip: float
    correction_share: float
    correction_wrong: float
    correction_delay: float
    settle: float
    report: Path | None
    run_id: str | None


def post(options: PostOptions, directory: QueueDirectory) -> int:
    """Run to the end; 0 when every ticket was accepted. Raises Misconfigured."""
    total, plan = _plan(options, directory)
    status = Status()
    with _display(status, total, options.report) as tick:
        uvloop.run(_post(options, plan, status, tick))
    return 0 if status.accepted == status.sent else 1


def _plan(options: PostOptions, directory: QueueDirectory) -> tuple[int | None, Iterator[Planned]]:
    """How many tickets there will be, where that is known, and the tickets."""
    total: int | None = None
    if options.from_csv is not None:
        total, plan = replayed(
            options.from_csv,
            text=options.text,
            label=options.label,
            skip=options.skip,
            rate=options.rate,
            seed=options.seed,
        )
    else:
        plan = made_up(
            directory,
            seed=options.seed,
            rate=options.rate,
            day=options.day,
            level_day=LEVEL_DAY_SECONDS,
            new_topic_after=_new_topic_after(options),
        )
    if options.tickets is not None:
        total = options.tickets if total is None else min(total, options.tickets)
        plan = itertools.islice(plan, options.tickets)
    if options.duration is not None:
        end = options.duration
        plan = itertools.takewhile(lambda planned: planned.at < end, plan)
        total = None if total is None else min(total, round(options.rate * end))
    return total, plan


def _new_topic_after(options: PostOptions) -> float:
    if options.duration is not None:
        return options.duration / 2
    if options.tickets is not None:
        return options.tickets / options.rate / 2
    return ENDLESS_NEW_TOPIC_SECONDS


async def _post(
    options: PostOptions,
    plan: Iterator[Planned],
    status: Status,
    tick: Callable[[Status], None],
) -> None:
    client = HttpClient(options.url, connections=options.connections)
    gateway = Gateway(options.gateway) if options.gateway else None
    loop = OpenLoop(client)
    run_id = options.run_id or secrets.token_hex(4)
    replay = options.from_csv is not None
    run = Run(
        run_id=run_id,
        loop=loop,
        status=status,
        corrections=Corrections(loop, status, name=lambda name: f"{run_id}-{name}", now=utc_now),
        agents=Agents(
            options.seed,
            # The truth follows every replayed ticket.
            share=1.0 if replay else options.correction_share,
            wrong=0.0 if replay else options.correction_wrong,
            delay=options.correction_delay,
        ),
        topics=(*TOPICS, NEW_TOPIC),
        now=utc_now,
        follower=Follower(gateway, status) if gateway else None,
        batch=options.batch,
        settle=options.settle,
        on_tick=tick,
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, run.stop)
    try:
        await run.post(plan)
    finally:
        await client.close()
        if gateway is not None:
            await gateway.close()


@contextmanager
def _display(
    status: Status, total: int | None, report: Path | None
) -> Iterator[Callable[[Status], None]]:
    """A bar on a terminal, else a plain line now and then, and the status file."""
    console = Console(stderr=True)
    ticks = itertools.count()
    with Progress(
        TextColumn("posting"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[line]}"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
    ) as bar:
        task = bar.add_task("posting", total=total, line="")

        def tick(now: Status) -> None:
            if report is not None:
                write_status(report, now)
            if console.is_terminal:
                bar.update(task, completed=now.accepted, line=now.line())
            elif next(ticks) % PLAIN_EVERY_TICKS == PLAIN_EVERY_TICKS - 1:
                console.print(now.line(), soft_wrap=True)

        try:
            yield tick
        finally:
            status.done = True
            tick(status)
    console.print(f"done: {status.line()}", soft_wrap=True)
