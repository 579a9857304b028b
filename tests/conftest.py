"""Broker and Redis for every test that wants them, and names nobody else uses.

Where KAFKA_BOOTSTRAP_SERVERS or REDIS_URL are given, those are used. Otherwise a local broker and
a local Valkey start on free ports; only where Java or Maven are missing and Docker runs, the
broker is a container. Nothing is skipped: a machine that can have neither fails with the reason.
"""

import os
import shutil
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from deploy.local.broker import LocalBroker
from deploy.local.preflight import require_java
from deploy.local.valkey import LocalValkey


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse two tests of one name: of these, processes that share the tests run only one."""
    names = Counter(item.nodeid for item in items)
    if doubles := [name for name, times in names.items() if times > 1]:
        raise pytest.UsageError("More than one test is called " + ", ".join(doubles))


@pytest.fixture(scope="session")
def kafka_bootstrap(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a running broker that all tests of the session share."""
    given = os.environ.get("KAFKA_BOOTSTRAP_SERVERS")
    if given:
        yield given
    elif (shutil.which("java") is None or shutil.which("mvn") is None) and _docker_runs():
        with _kafka_container() as address:
            yield address
    else:
        require_java()
        with LocalBroker(tmp_path_factory.mktemp("kafka")) as broker:
            yield broker.bootstrap_servers


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`redis://` address of a running server that all tests of the session share."""
    given = os.environ.get("REDIS_URL")
    if given:
        yield given
    else:
        with LocalValkey(tmp_path_factory.mktemp("valkey")) as valkey:
            yield valkey.url


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[LocalBroker]:
    """A broker of this test alone, to stop, kill, freeze and start again on the same data."""
    require_java()
    with LocalBroker(tmp_path / "kafka") as own:
        yield own


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[LocalValkey]:
    """A Valkey of this test alone, to stop, kill, freeze and start again on the same data."""
    with LocalValkey(tmp_path / "valkey") as own:
        yield own


@pytest.fixture
def unique() -> Callable[[str], str]:
    """Turns a word into a name (of a topic, group, key) that no other test and no other run has."""
    suffix = uuid.uuid4().hex[:12]

    def name(word: str) -> str:
        return f"{word}.{suffix}"

    return name


def _docker_runs() -> bool:
    from docker import from_env  # type: ignore[import-untyped]  # noqa: PLC0415
    from docker.errors import DockerException  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        return bool(from_env(timeout=5).ping())
    except DockerException:
        return False


@contextmanager
def _kafka_container() -> Iterator[str]:
    from testcontainers.community.kafka import KafkaContainer  # noqa: PLC0415

    with KafkaContainer().with_kraft() as container:
        yield container.get_bootstrap_server()
