"""Every row, those that share a world beside each other."""

from tests.chaos.row import Row
from tests.chaos.rows import brokers, kills, members, stops, stores

_UNORDERED: tuple[Row, ...] = (
    *kills.ROWS,
    *stops.ROWS,
    *brokers.ROWS,
    *stores.ROWS,
    *members.ROWS,
)
ROWS = tuple(sorted(_UNORDERED, key=lambda row: (not row.shares, repr(row.setup))))
