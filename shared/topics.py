"""Every topic: name, partitions, retention, and its one writer."""

import zlib
from dataclasses import dataclass

DAY_MS = 24 * 3600 * 1000
FOREVER = -1


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic. All `partitioned` ones have the same partition count, fixed for life."""

    name: str
    writer: str
    partitioned: bool
    retention_ms: int

    def partitions(self, count: int) -> int:
        return count if self.partitioned else 1


RECEIVED = Topic("tickets.received.v1", "ingest", partitioned=True, retention_ms=30 * DAY_MS)
# Redis is rebuilt from this topic, so it is kept as long as history is promised.
LABELLED = Topic("tickets.labelled.v1", "classifier", partitioned=True, retention_ms=FOREVER)
# One partition: the only total order, which every model folds.
CORRECTED = Topic(
    "tickets.corrected.v1", "ingest, classifier", partitioned=False, retention_ms=FOREVER
)
PARKED = Topic(
    "tickets.parked.v1", "classifier, forecaster", partitioned=True, retention_ms=90 * DAY_MS
)

# One partition: an incident's alerts in their order.
ALERTS = Topic("alerts.raised.v1", "forecaster", partitioned=False, retention_ms=365 * DAY_MS)

ALL = (RECEIVED, LABELLED, CORRECTED, PARKED, ALERTS)


def partition_of(ticket_id: str, partitions: int) -> int:
    """crc32 of the ticket id; aiokafka's own murmur2 is pure Python, ten times dearer."""
    return zlib.crc32(ticket_id.encode("utf-8", "replace")) % partitions
