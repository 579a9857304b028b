"""Whole topics as the judge and the evidence of a failed row read them, on a real broker."""

from dataclasses import replace

import pytest
from aiokafka.errors import UnknownTopicOrPartitionError

from deploy.local.broker import LocalBroker
from shared.provisioning import create_topics
from shared.settings import KafkaSettings
from shared.topics import RECEIVED
from tests.chaos import logbook

pytestmark = [pytest.mark.integration]


async def test_all_that_was_appended_is_read_by_partition(broker: LocalBroker) -> None:
    address = broker.bootstrap_servers
    await create_topics(KafkaSettings(bootstrap_servers=address, partitions=2))
    await logbook.append(address, RECEIVED, [b"first", None], partition=1, key=b"k")
    ends = await logbook.ends(address, [RECEIVED])
    assert ends == {(RECEIVED.name, 0): 0, (RECEIVED.name, 1): 2}
    read = await logbook.read(address, RECEIVED)
    assert read[0] == []
    assert [(one.offset, one.key, one.value) for one in read[1]] == [
        (0, b"k", b"first"),
        (1, b"k", None),
    ]


async def test_a_missing_topic_is_named(broker: LocalBroker) -> None:
    missing = replace(RECEIVED, name="never.made")
    with pytest.raises(UnknownTopicOrPartitionError, match=missing.name):
        await logbook.read(broker.bootstrap_servers, missing)
