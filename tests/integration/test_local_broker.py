"""The embedded broker: what it acknowledged is there after a stop, a SIGKILL and a freeze."""

from collections.abc import Callable
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local import ports
from deploy.local.broker import LocalBroker, answers_metadata, prepare
from deploy.local.installation import KafkaInstallation
from shared.errors import Misconfigured
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import ALL
from tests.deadlines import eventually

pytestmark = pytest.mark.integration


async def _create(address: str, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=address)
    await admin.start()
    answer = await admin.create_topics([NewTopic(topic, 1, 1)])
    await admin.close()
    assert [code for _, code, *_ in answer.topic_errors] == [0]


async def _append(address: str, topic: str, values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=address, enable_idempotence=True) as producer:
        for value in values:
            await producer.send_and_wait(topic, value)


async def _read(address: str, topic: str) -> list[bytes]:
    partition = TopicPartition(topic, 0)
    async with AIOKafkaConsumer(bootstrap_servers=address, auto_offset_reset="earliest") as reader:
        reader.assign([partition])
        end = (await reader.end_offsets([partition]))[partition]
        return [(await reader.getone()).value for _ in range(end)]


async def test_acknowledged_records_outlive_stop_kill_and_freeze(
    broker: LocalBroker, unique: Callable[[str], str]
) -> None:
    address, topic = broker.bootstrap_servers, unique("kept")
    await _create(address, topic)
    await _append(address, topic, [b"first"])
    broker.kill()
    assert not broker.is_alive()
    broker.start()
    await _append(address, topic, [b"second"])
    broker.stop()
    broker.start()
    broker.freeze()
    assert broker.is_alive()
    assert not answers_metadata(broker.port, seconds=0.3)
    broker.thaw()
    await eventually(broker.answers, what="the thawed broker answers")
    assert broker.bootstrap_servers == address
    assert await _read(address, topic) == [b"first", b"second"]


async def test_topics_are_provisioned_once(broker: LocalBroker) -> None:
    settings = KafkaSettings(bootstrap_servers=broker.bootstrap_servers, partitions=2)
    assert set(await create_topics(settings)) == {topic.name for topic in ALL}
    assert await create_topics(settings) == []


async def test_shared_broker_serves(kafka_bootstrap: str, unique: Callable[[str], str]) -> None:
    topic = unique("shared")
    await _create(kafka_bootstrap, topic)
    await _append(kafka_bootstrap, topic, [b"x"])
    assert await _read(kafka_bootstrap, topic) == [b"x"]


def test_a_prepared_installation_is_left_alone(broker: LocalBroker) -> None:
    assert broker.is_alive()
    assert prepare(KafkaInstallation.default()) is False


def test_a_taken_port_is_named_and_nothing_is_started(broker: LocalBroker, tmp_path: Path) -> None:
    second = LocalBroker(tmp_path / "second", port=broker.port)
    with pytest.raises(Misconfigured, match=f"Port {broker.port} is already taken.*KAFKA_PORT"):
        second.start()
    assert not second.is_alive()
    assert broker.answers()


def test_a_broker_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    broker = LocalBroker(tmp_path)
    broker.start()
    broker.stop()
    identity = tmp_path / "data" / "meta.properties"
    identity.write_text(identity.read_text().replace("node.id=1", "node.id=9"))
    with pytest.raises(Misconfigured, match=r"kafka ended while it started: .*its log"):
        broker.start()
    assert not broker.is_alive()
    assert ports.is_free(broker.port)
