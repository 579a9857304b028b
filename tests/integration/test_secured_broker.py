"""Kafka with a login and TLS: all that connects gets in, and a refusal is told from an outage."""

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from deploy.local.ports import free_ports
from deploy.local.preflight import require_java
from deploy.local.processes import ChildProcess
from deploy.local.workspace import CHECKOUT
from services.classifier.adapters import training_log
from services.classifier.adapters.correction_log import CorrectionLog
from services.classifier.domain.log_records import LogRecord, Place
from services.ingest.adapters.kafka_publisher import KafkaPublisher
from services.ingest.adapters.publisher import InFlight
from services.ingest.domain.admission import Message
from shared import admission
from shared.admission import refusal
from shared.errors import Unavailable
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import CORRECTED, LABELLED, RECEIVED
from tests.builders import a_correction
from tests.certificates import authority, signed
from tests.chaos import logbook
from tests.deadlines import eventually
from tests.secured_broker import PASSWORD, USER, SecuredBroker

pytestmark = pytest.mark.integration
WRONG = "wrong horse"


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecuredBroker]:
    require_java()
    with SecuredBroker(tmp_path_factory.mktemp("kafka")) as broker:
        assert len(asyncio.run(create_topics(broker.login))) > 1
        yield broker


def but(kafka: KafkaSettings, **changes: Any) -> KafkaSettings:
    """Other settings, checked as any are."""
    return KafkaSettings(**{**dict(kafka), **changes})


def environment(kafka: KafkaSettings) -> dict[str, str]:
    password = "" if kafka.sasl_password is None else kafka.sasl_password.get_secret_value()
    given = {**kafka.model_dump(exclude_none=True), "sasl_password": password}
    return {**os.environ, **{f"KAFKA_{name}".upper(): str(value) for name, value in given.items()}}


def run(kafka: KafkaSettings, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=CHECKOUT, env=environment(kafka), capture_output=True, text=True, check=False,
    )  # fmt: skip


@asynccontextmanager
async def publishing(kafka: KafkaSettings, deaths: list[str]) -> AsyncIterator[KafkaPublisher]:
    publisher = KafkaPublisher(
        kafka,
        ack_timeout=20.0,
        in_flight=InFlight(max_events=1_000, max_bytes=10**9),
        die=deaths.append,
    )
    await publisher.start()
    try:
        yield publisher
    finally:
        await publisher.stop()


async def copied(secured: SecuredBroker, key: bytes) -> bool:
    found = await logbook.read(secured.bootstrap_servers, LABELLED)
    return any(entry.key == key for entries in found.values() for entry in entries)


class Echo:
    """A worker as a process, which copies tickets.received to tickets.labelled."""

    def __init__(self, kafka: KafkaSettings, folder: Path, group: str) -> None:
        arguments = [kafka.bootstrap_servers, RECEIVED.name, LABELLED.name, group, "0"]
        module = "tests.integration.streaming.echo"
        self.process = ChildProcess(
            group,
            [sys.executable, "-m", module, *arguments, str(free_ports(1)[0])],
            log=folder / f"{group}.log",
            environment=environment(kafka),
        )

    def __enter__(self) -> ChildProcess:
        self.process.start()
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.stop()


async def test_ingest_and_the_stream_workers_get_in(secured: SecuredBroker, tmp_path: Path) -> None:
    deaths: list[str] = []
    with Echo(secured.login, tmp_path, "through"):
        async with publishing(secured.login, deaths) as publisher:
            await publisher.publish(RECEIVED, [Message("in", b"v")])
            assert await publisher.check() is None
        await eventually(lambda: copied(secured, b"in"), 90, what="the worker copies it")
    assert not deaths


async def test_correction_and_training_log_are_read(secured: SecuredBroker) -> None:
    value = a_correction(event_id="told").model_dump_json().encode()
    await logbook.append(secured.bootstrap_servers, CORRECTED, [value], 0, b"k")
    folded: list[LogRecord] = []
    reader = CorrectionLog(secured.login, lambda _: Place(), folded.extend)
    try:
        await reader.start()
    finally:
        await reader.stop()
    assert [record.event_id for record in folded] == ["told"]
    trained: list[int] = []
    async with training_log.connect(secured.login) as log:
        await log.corrections(lambda offset, _: trained.append(offset), lambda *_: None)
    assert trained == [0]


async def test_a_login_by_scram_gets_in_and_with_a_wrong_password_does_not(
    secured: SecuredBroker,
) -> None:
    await asyncio.to_thread(secured.know_by_scram, "scram", PASSWORD)
    kafka = but(secured.login, sasl_mechanism="SCRAM-SHA-512", sasl_username="scram")
    assert await create_topics(kafka) == []
    assert "login of scram" in str(await refusal(but(kafka, sasl_password=WRONG)))


async def test_a_broker_that_asks_for_a_certificate_gets_one(
    secured: SecuredBroker, tmp_path: Path
) -> None:
    without = KafkaSettings(
        bootstrap_servers=f"127.0.0.1:{secured.mutual_port}",
        security_protocol="SSL",
        ssl_ca_file=secured.authority.file,
    )
    own = signed(tmp_path, "client", secured.authority)
    assert await create_topics(but(without, ssl_cert_file=own.file, ssl_key_file=own.key)) == []
    assert "KAFKA_SSL_CERT_FILE" in str(await refusal(without))


def test_the_parked_command_gets_in(secured: SecuredBroker) -> None:
    done = run(secured.login, "services.classifier", "parked", "list")
    assert (done.returncode, done.stdout) == (0, "No parked record waits for a decision.\n")


@pytest.mark.parametrize(
    "words",
    [
        ("shared.provisioning",),
        ("services.ingest",),
        ("services.forecaster",),
        ("services.classifier", "parked", "list"),
    ],
)
def test_a_wrong_password_is_one_sentence_and_the_end(
    secured: SecuredBroker, words: tuple[str, ...]
) -> None:
    done = run(but(secured.login, sasl_password=WRONG), *words)
    said = done.stdout + done.stderr
    assert done.returncode == 1
    assert f"refuses the login of {USER}" in said
    assert "KAFKA_SASL_PASSWORD" in said
    assert WRONG not in said
    assert "Traceback" not in said


async def test_what_is_refused_is_named(secured: SecuredBroker, tmp_path: Path) -> None:
    stranger = authority(tmp_path, "stranger").file
    name = secured.login.bootstrap_servers.replace("127.0.0.1", "localhost")
    plain = {"bootstrap_servers": secured.bootstrap_servers, "ssl_ca_file": None}
    for changes, words in (
        ({"ssl_ca_file": stranger}, "KAFKA_SSL_CA_FILE"),
        ({"ssl_ca_file": None}, "KAFKA_SSL_CA_FILE"),
        ({"bootstrap_servers": name}, "KAFKA_BOOTSTRAP_SERVERS"),
        ({"sasl_mechanism": "SCRAM-SHA-256"}, "KAFKA_SASL_MECHANISM"),
        ({**plain, "security_protocol": "SASL_PLAINTEXT"}, "KAFKA_SECURITY_PROTOCOL"),
    ):
        assert words in str(await refusal(but(secured.login, **changes)))


async def test_a_broker_that_is_away_is_no_refusal(secured: SecuredBroker) -> None:
    away = but(secured.login, bootstrap_servers="127.0.0.1:1")
    assert await refusal(away) is None
    one_of_two = f"127.0.0.1:1,{secured.login.bootstrap_servers}"
    assert await refusal(but(away, bootstrap_servers=one_of_two)) is None
    with pytest.raises(Unavailable, match="does not answer"):
        await create_topics(away)


async def test_a_password_changed_meanwhile_ends_the_process(
    secured: SecuredBroker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(admission, "LOOK_SECONDS", 0.2)
    deaths: list[str] = []
    with Echo(secured.login, tmp_path, "expelled") as worker:
        async with publishing(secured.login, deaths) as publisher:
            await publisher.publish(RECEIVED, [Message("before", b"v")])
            await eventually(lambda: copied(secured, b"before"), 90, what="both are connected")
            secured.password = WRONG
            await asyncio.to_thread(secured.stop)
            await asyncio.to_thread(secured.start)
            try:
                await eventually(lambda: deaths, 60, what="ingest gives up")
                await eventually(lambda: not worker.is_alive(), 90, what="the worker gives up")
            finally:
                secured.password = PASSWORD
                await asyncio.to_thread(secured.stop)
                await asyncio.to_thread(secured.start)
        assert f"refuses the login of {USER}" in deaths[0]
        assert worker.returncode == 3
        assert f"refuses the login of {USER}" in worker.last_words()
