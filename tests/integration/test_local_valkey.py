"""The embedded Valkey: what it wrote is there after a stop, a SIGKILL and a freeze."""

from pathlib import Path

import pytest
import redis

from deploy.local.valkey import LocalValkey, answers_ping
from shared.errors import Misconfigured

pytestmark = pytest.mark.integration


def test_data_outlives_stop_and_kill(valkey: LocalValkey) -> None:
    with redis.Redis.from_url(valkey.url) as client:
        client.set("a", "1")
    valkey.stop()
    assert not valkey.is_alive()
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        client.set("b", "2")
    valkey.kill()
    valkey.start()
    with redis.Redis.from_url(valkey.url, decode_responses=True) as client:
        assert client.mget("a", "b") == ["1", "2"]


def test_a_frozen_server_is_alive_and_silent(valkey: LocalValkey) -> None:
    valkey.freeze()
    assert valkey.is_alive()
    assert not answers_ping(valkey.port, seconds=0.2)
    valkey.thaw()
    assert answers_ping(valkey.port)


def test_shared_server_serves(redis_url: str) -> None:
    with redis.Redis.from_url(redis_url) as client:
        assert client.ping()


def test_a_taken_port_is_named_and_nothing_is_started(valkey: LocalValkey, tmp_path: Path) -> None:
    second = LocalValkey(tmp_path / "second", port=valkey.port)
    with pytest.raises(Misconfigured, match=f"Port {valkey.port} is already taken.*REDIS_PORT"):
        second.start()
    assert not second.is_alive()
