"""One JSON object per log line on standard error."""

import logging
import sys
from datetime import UTC, datetime

import orjson

# Third parties that log each reconnect attempt several times a second while a broker is away.
NOISY = ("aiokafka", "kafka", "faust", "mode", "asyncio", "uvicorn.access", "httpx")


class JsonFormatter(logging.Formatter):
    """A record as one JSON line; the traceback goes into `error`."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def configure(service: str, level: str = "INFO") -> None:
    """Send every logger to standard error as JSON. Called once, by `__main__` or a command."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter(service))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in NOISY:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLogger().level))
