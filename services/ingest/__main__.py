"""`python -m services.ingest`: HTTP in, Kafka out. Everything is set by the environment."""

import argparse
import asyncio
import gc
import logging
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import uvicorn
from pydantic import ValidationError

from services.ingest.adapters.kafka_publisher import KafkaPublisher
from services.ingest.adapters.publisher import InFlight
from services.ingest.adapters.ticket_texts import RedisTicketTexts
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings
from shared import logs
from shared.admission import admit
from shared.clock import utc_now
from shared.errors import Misconfigured
from shared.settings import KafkaSettings, RedisSettings, faults

log = logging.getLogger("services.ingest")

# A supervisor restarts a process that ends with this: sysexits.h EX_SOFTWARE.
FATAL = 70
# Lets the requests that failed get their 503 before the process goes.
LAST_ANSWERS_SECONDS = 0.5
SHUTDOWN_SECONDS = 6
# Python's default of 700 takes an eighth of the time of single posts: a request in flight is many
# young objects, none of them garbage yet.
GC_THRESHOLD = 20_000


def main(argv: Sequence[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT. Exit 1 where Kafka refuses it, 2 on a wrong setting."""
    parser = argparse.ArgumentParser(
        prog="python -m services.ingest",
        description=__doc__,
        epilog=_environment(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args(argv)
    try:
        settings, kafka, redis = IngestSettings(), KafkaSettings(), RedisSettings()
    except ValidationError as error:
        print(*faults(error), sep="\n", file=sys.stderr)  # noqa: T201
        return 2
    logs.configure("ingest", settings.log_level)
    try:
        asyncio.run(admit(kafka))
    except Misconfigured as error:
        print(error.detail, file=sys.stderr)  # noqa: T201
        return 1
    _serve(settings, kafka, redis)
    return 0


def _serve(settings: IngestSettings, kafka: KafkaSettings, redis: RedisSettings) -> None:
    publisher = KafkaPublisher(
        kafka,
        ack_timeout=settings.ack_timeout,
        linger=settings.linger_ms / 1000,
        in_flight=InFlight(settings.max_in_flight_events, settings.max_in_flight_bytes),
        die=_die,
    )
    app = create_app(
        settings, publisher, RedisTicketTexts(redis), utc_now, _pseudonym_key(settings)
    )
    # What lives as long as the process need not be looked through again and again.
    gc.freeze()
    gc.set_threshold(GC_THRESHOLD)
    # uvicorn raises the signal again once it has stopped in order; a wish to stop is no failure.
    signal.signal(signal.SIGTERM, _stopped)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        # Nothing here looks at the client's address.
        proxy_headers=False,
        limit_concurrency=settings.max_connections,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )


def _pseudonym_key(settings: IngestSettings) -> bytes:
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    log.warning(
        "INGEST_PSEUDONYM_KEY is not set: requesters get new pseudonyms at each start. "
        'Make one with: python -c "import secrets; print(secrets.token_hex(32))"'
    )
    return secrets.token_bytes(32)


def _die(reason: str) -> None:
    log.critical("ending the process, its Kafka producer is of no use any more: %s", reason)
    asyncio.get_running_loop().call_later(LAST_ANSWERS_SECONDS, _exit)


def _stopped(_: int, __: FrameType | None) -> NoReturn:
    sys.exit(0)


def _exit() -> NoReturn:
    # Not sys.exit: a graceful stop would wait to flush batches that can never be delivered.
    os._exit(FATAL)


def _environment() -> str:
    """The settings for --help, from their declarations."""
    lines = ["environment:"]
    for settings in (IngestSettings, KafkaSettings, RedisSettings):
        prefix = settings.model_config.get("env_prefix", "")
        for name, field in settings.model_fields.items():
            variable = f"{prefix}{name}".upper()
            text = f"{field.description or ''} [{field.default}]".strip()
            lines.append(f"  {variable:<30} {text}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
