"""The one batch loop: chunks of records from Kafka through a Faust channel, committed in order.

Only this package knows Faust and aiokafka's consumer. A service hands it a Stage and nothing else.
docs/decisions/0001-the-intake-over-a-faust-channel.md says why it is built like this.
"""

from shared.streaming.chunk import Chunk, Rewind, Stage
from shared.streaming.intake import Intake
from shared.streaming.producer import BatchProducer
from shared.streaming.settings import IntakeSettings
from shared.streaming.worker import StreamWorker

__all__ = [
    "BatchProducer",
    "Chunk",
    "Intake",
    "IntakeSettings",
    "Rewind",
    "Stage",
    "StreamWorker",
]
