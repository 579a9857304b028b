"""`python -m services.gateway`: serve tickets, live labels and queue load over HTTP."""

import argparse
import asyncio
import signal
import sys
from collections.abc import Sequence
from types import FrameType

import httpx
import uvicorn
import uvloop
from pydantic import ValidationError

from services.gateway.adapters.brain import HttpBrain
from services.gateway.adapters.feed import Feed
from services.gateway.adapters.forecasts import HttpForecasts
from services.gateway.adapters.judge import HttpJudge
from services.gateway.adapters.load_reader import LoadReader
from services.gateway.adapters.probes import HttpProbe
from services.gateway.adapters.redis_views import RedisViews, connect
from services.gateway.adapters.transport import AiohttpTransport
from services.gateway.app import create_app
from services.gateway.dependencies import Ports
from services.gateway.settings import GatewaySettings
from shared import logs
from shared.clock import monotonic, utc_now
from shared.errors import Misconfigured
from shared.http.listening import listen
from shared.queues import QueueDirectory
from shared.settings import KafkaSettings, RedisSettings

EPILOG = """\
environment: REDIS_URL (redis://127.0.0.1:26379/0), GATEWAY_HOST (127.0.0.1), GATEWAY_PORT (8000),
GATEWAY_CLASSIFIER_URL, GATEWAY_FORECASTER_URL, GATEWAY_SEMANTIC_URL, GATEWAY_INGEST_URL,
GATEWAY_QUEUES_FILE, GATEWAY_STREAM_BUFFER, GATEWAY_LOG_LEVEL,
KAFKA_PARTITIONS (12, how many positions to show)."""
# Streams end at once when the feed closes; this is for requests under way.
DRAIN_SECONDS = 5


class _Server(uvicorn.Server):
    """Ends the live streams on a signal; uvicorn would wait for their clients to leave."""

    def __init__(self, config: uvicorn.Config, feed: Feed) -> None:
        super().__init__(config)
        self._feed = feed
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._loop.call_soon_threadsafe(self._feed.close)
        super().handle_exit(sig, frame)


async def serve(settings: GatewaySettings, redis: RedisSettings, partitions: int) -> None:
    """Serve until a signal. Raises Misconfigured for what can never work."""
    directory = QueueDirectory.load(settings.queues_file)
    listener = listen(settings.host, settings.port)
    client = connect(redis)
    views = RedisViews(client, partitions)
    async with client, httpx.AsyncClient(transport=AiohttpTransport()) as http:
        ports = Ports(
            settings=settings,
            views=views,
            load=LoadReader(views, directory, utc_now, monotonic),
            feed=Feed(views, settings.stream_buffer),
            classifier=HttpProbe("classifier", settings.classifier_url, http, monotonic),
            forecaster=HttpProbe("forecaster", settings.forecaster_url, http, monotonic),
            semantic=HttpProbe("semantic", settings.semantic_url, http, monotonic),
            forecasts=HttpForecasts(settings.forecaster_url, http),
            judge=HttpJudge(settings.classifier_url, http, monotonic),
            brain=HttpBrain(
                settings.classifier_url, settings.semantic_url, settings.ingest_url, http
            ),
        )
        config = uvicorn.Config(
            create_app(ports),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
        )
        await _Server(config, ports.feed).serve(sockets=[listener])


def _settings(argv: Sequence[str] | None) -> GatewaySettings:
    parser = argparse.ArgumentParser(
        prog="python -m services.gateway",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--host", help="address to listen on, before GATEWAY_HOST")
    parser.add_argument("--port", type=int, help="port to listen on, before GATEWAY_PORT")
    given = {k: v for k, v in vars(parser.parse_args(argv)).items() if v is not None}
    return GatewaySettings(**given)


def _refuse(reason: str) -> int:
    print(f"gateway: {reason}", file=sys.stderr)  # noqa: T201 - the operator's terminal
    return 2


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 after a signal, 2 with one sentence where the settings cannot work."""
    try:
        settings = _settings(argv)
        redis, partitions = RedisSettings(), KafkaSettings().partitions
        logs.configure("gateway", settings.log_level)
        # uvicorn raises the signal again once it has served; a wish to stop is no failure.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, redis, partitions))
    except Misconfigured as error:
        return _refuse(error.detail)
    except ValidationError as error:
        # A fault of several settings together names no place.
        wrong = (
            ": ".join([*map(str, e["loc"]), e["msg"].removeprefix("Value error, ")])
            for e in error.errors(include_url=False, include_input=False)
        )
        return _refuse(f"settings of {error.title}: {'; '.join(wrong)}")
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())
