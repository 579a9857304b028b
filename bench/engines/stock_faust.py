"""Faust as its tutorial shows it: an agent that gets one event at a time."""

import tempfile
from pathlib import Path
from typing import Any

import faust

from bench.engines.job import Arguments, Stopwatch


def main() -> None:
    arguments = Arguments.read()
    stopwatch = Stopwatch(arguments.count)
    app = faust.App(
        arguments.group,
        broker=f"kafka://{arguments.bootstrap}",
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
        table_standby_replicas=0,
        broker_commit_every=10_000,
        datadir=Path(tempfile.gettempdir(), "deskstream-faust"),
    )
    source = app.topic(arguments.source, value_serializer="raw", key_serializer="raw")
    target = app.topic(arguments.target, value_serializer="raw", key_serializer="raw")

    @app.agent(source)  # type: ignore[untyped-decorator]
    async def copy(stream: Any) -> None:
        async for event in stream.events():
            stopwatch.begin()
            (value,) = arguments.run([(event.message.offset, event.value)])
            await target.send(key=event.key, value=value)
            stopwatch.delivered(1)

    worker = faust.Worker(app, quiet=True, loglevel="ERROR")
    worker.spinner = None  # it writes cursor codes to standard output
    worker.execute_from_commandline()


if __name__ == "__main__":
    main()
