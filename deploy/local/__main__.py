"""`python -m deploy.local`: the demo, the system alone, the broker alone, and what is missing.

Settings are environment variables: DEMO_SECONDS, DEMO_RATE, DEMO_SEED, DEMO_KEEP=1, DEMO_DATA with
DEMO_TEXT and DEMO_LABEL; KAFKA_BOOTSTRAP_SERVERS and REDIS_URL to use your own; KAFKA_PORT,
REDIS_PORT, GATEWAY_PORT, INGEST_PORT, CLASSIFIER_PORT, FORECASTER_PORT, SEMANTIC_PORT,
KAFKA_PARTITIONS;
DESKSTREAM_LOCAL, the folder of data, logs and models (.local).
"""

import argparse
import logging
import signal
import sys
from collections.abc import Sequence

from pydantic import ValidationError
from rich.console import Console

from deploy.local import running
from deploy.local.settings import LocalSettings
from deploy.local.workspace import Workspace
from shared.errors import DeskstreamError
from shared.settings import faults

COMMANDS = {
    "demo": "everything, with simulated (or DEMO_DATA's) tickets and a live table",
    "up": "everything but the simulator, until Ctrl-C",
    "broker": "Kafka and Valkey only, with the topics, until Ctrl-C",
    "down": "stop a demo, up or broker that runs in another terminal",
    "doctor": "say what this machine has and what is missing",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. 1 with one sentence on standard error where it cannot work."""
    parser = argparse.ArgumentParser(
        prog="python -m deploy.local",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, text in COMMANDS.items():
        commands.add_parser(name, help=text, description=text)
    command = parser.parse_args(argv).command
    # SIGTERM as Ctrl-C: the same way out, through every `with` and `finally`.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    # What goes wrong is said once, by us; clients report every attempt.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        settings = LocalSettings.from_environment()
        return running.COMMANDS[command](settings, Workspace(settings.deskstream_local), Console())
    except DeskstreamError as error:
        print(error.detail, file=sys.stderr)
        return 1
    except ValidationError as error:
        if not (wrong := faults(error)):
            raise
        print(*wrong, sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
