"""The broker and the Valkey a bench runs on: its own, or those that are given."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from deploy.local.broker import LocalBroker
from deploy.local.preflight import require_java
from deploy.local.valkey import LocalValkey


@dataclass(frozen=True)
class Stores:
    """Addresses, and the processes behind them where they are ours."""

    bootstrap: str
    redis_url: str
    valkey_pid: int | None


@contextmanager
def stores() -> Iterator[Stores]:
    """Both for the length of a `with`; KAFKA_BOOTSTRAP_SERVERS and REDIS_URL name others."""
    bootstrap, redis_url = os.environ.get("KAFKA_BOOTSTRAP_SERVERS"), os.environ.get("REDIS_URL")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="deskstream-bench-")))
        pid = None
        if not bootstrap:
            require_java()
            broker = stack.enter_context(LocalBroker(folder / "kafka"))
            bootstrap = broker.bootstrap_servers
        if not redis_url:
            valkey = stack.enter_context(LocalValkey(folder / "valkey"))
            redis_url, pid = valkey.url, valkey.process.pid
        yield Stores(bootstrap, redis_url, pid)
