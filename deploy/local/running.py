"""The commands of `python -m deploy.local`: at most one run at a time, and how it ends."""

import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from rich.console import Console

from deploy.local import ports
from deploy.local.broker import prepare
from deploy.local.demo import Demo
from deploy.local.installation import KafkaInstallation
from deploy.local.models import ensure_model
from deploy.local.preflight import require_java
from deploy.local.settings import LocalSettings
from deploy.local.system import System
from deploy.local.valkey import server_binary
from deploy.local.workspace import Workspace, exclusive
from shared.errors import Misconfigured, Unavailable

TICK_SECONDS = 0.2
DOWN_SECONDS = 60.0

Command = Callable[[LocalSettings, Workspace, Console], int]


def demo(settings: LocalSettings, workspace: Workspace, console: Console) -> int:
    """Everything with a simulator; ends by itself with DEMO_SECONDS or DEMO_DATA."""
    with _single_run(settings, workspace):
        return Demo(settings, workspace, console).run()


def up(settings: LocalSettings, workspace: Workspace, console: Console) -> int:
    """Everything but the simulator."""
    with _single_run(settings, workspace):
        models = ensure_model(None, workspace, console.print)
        console.print("Starting Kafka, Valkey and the services ...")
        with System(settings, workspace, models=models, announce=console.print) as system:
            system.await_ready()
            for what, url in settings.pages.items():
                console.print(f"  {what:<18} {url}", highlight=False)
            _until_interrupted(system)
            console.print("Stopping ...")
    return 0


def broker(settings: LocalSettings, workspace: Workspace, console: Console) -> int:
    """Broker, Valkey and topics."""
    with _single_run(settings, workspace):
        system = System(settings, workspace, models=workspace.root, announce=console.print)
        with system.stores():
            console.print(f"KAFKA_BOOTSTRAP_SERVERS={system.bootstrap_servers}", highlight=False)
            console.print(f"REDIS_URL={system.redis_url}", highlight=False)
            _until_interrupted(system)
            console.print("Stopping ...")
    return 0


def down(settings: LocalSettings, workspace: Workspace, console: Console) -> int:
    """End the run of another terminal and wait until nothing of it is left."""
    del settings
    deadline = time.monotonic() + DOWN_SECONDS
    asked = False
    while time.monotonic() < deadline:
        with suppress(Misconfigured), exclusive(workspace.pid_file, busy="it runs"):
            console.print("Stopped." if asked else "Nothing is running.")
            return 0
        if not asked:
            with suppress(ProcessLookupError, ValueError):
                os.kill(int(workspace.pid_file.read_text()), signal.SIGTERM)
                asked = True
        time.sleep(TICK_SECONDS)
    raise Unavailable(f"It is still stopping after {DOWN_SECONDS:.0f} s; try again in a moment.")


def doctor(settings: LocalSettings, workspace: Workspace, console: Console) -> int:
    """What a run needs, one line each. Raises Misconfigured at the first that is missing."""
    del workspace

    def tell(what: str) -> None:
        console.print(f"  {what}", highlight=False, soft_wrap=True)

    if settings.kafka_bootstrap_servers is None:
        require_java(tell)
        tell("Java and Maven are there")
        installation = KafkaInstallation.default()
        prepare(installation)
        tell(f"Kafka is in {installation.directory}")
    if settings.redis_url is None:
        tell(f"Valkey is {server_binary()}")
    ports.require_free(settings.ports)
    tell("Ports are free: " + ", ".join(str(port) for port in settings.ports.values()))
    console.print("Ready for `make demo`.")
    return 0


@contextmanager
def _single_run(settings: LocalSettings, workspace: Workspace) -> Iterator[None]:
    """Hold the checkout's one run, on fresh data unless DEMO_KEEP=1."""
    busy = "Deskstream already runs from this checkout; stop it with `make down`."
    with exclusive(workspace.pid_file, busy=busy):
        workspace.pid_file.write_text(str(os.getpid()))
        if not settings.demo_keep:
            shutil.rmtree(workspace.run, ignore_errors=True)
        yield


def _until_interrupted(system: System) -> None:
    with suppress(KeyboardInterrupt):
        while True:
            system.supervisor.watch()
            time.sleep(TICK_SECONDS)


COMMANDS: dict[str, Command] = {
    "demo": demo,
    "up": up,
    "broker": broker,
    "down": down,
    "doctor": doctor,
}
