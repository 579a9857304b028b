"""Creates the topics. `python -m shared.provisioning` is the one-shot job of compose and Helm."""

import asyncio
import sys

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, for_code
from pydantic import ValidationError

from shared import topics
from shared.admission import admit
from shared.errors import Misconfigured, Unavailable
from shared.settings import KafkaSettings, faults

ALREADY_EXISTS = 36


async def create_topics(settings: KafkaSettings) -> list[str]:
    """Create the missing topics, answer their names. Safe to run again and at the same time."""
    await admit(settings)
    admin = AIOKafkaAdminClient(**settings.connection())
    try:
        await admin.start()
        wanted = [_new_topic(topic, settings) for topic in topics.ALL]
        answer = await admin.create_topics(wanted)
    except (KafkaError, OSError) as error:
        raise Unavailable(
            f"Kafka at {settings.bootstrap_servers} does not answer: {error}"
        ) from None
    finally:
        await admin.close()
    created = []
    for name, code, *_ in answer.topic_errors:
        # aiokafka's create_topics never raises: the codes are the only word of a failure.
        if code == 0:
            created.append(name)
        elif code != ALREADY_EXISTS:
            raise Misconfigured(f"topic {name} could not be created: {for_code(code).__name__}")
    return created


def _new_topic(topic: topics.Topic, settings: KafkaSettings) -> NewTopic:
    return NewTopic(
        name=topic.name,
        num_partitions=topic.partitions(settings.partitions),
        replication_factor=settings.replication,
        topic_configs={
            "retention.ms": str(topic.retention_ms),
            "min.insync.replicas": str(max(1, settings.replication - 1)),
            "max.message.bytes": str(settings.max_record_bytes),
        },
    )


def main() -> int:
    """Exit 0 when every topic exists, 2 on a setting that cannot work."""
    try:
        created = asyncio.run(create_topics(KafkaSettings()))
    except ValidationError as error:
        print(*faults(error), sep="\n", file=sys.stderr)  # noqa: T201
        return 2
    except (Unavailable, Misconfigured) as error:
        print(error.detail, file=sys.stderr)  # noqa: T201 - a job that answers on the terminal
        return 1
    print("created: " + (", ".join(created) or "nothing, all there"))  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
