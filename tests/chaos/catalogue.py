"""Every row, those that share a world beside each other."""

from tests.chaos.row import Row
from tests.chaos.rows import (
    brokers,
    control,
    disks,
    humans,
    inputs,
    kills,
    labellers,
    learners,
    members,
    parking,
    soak,
    stops,
    stores,
)

FAMILIES = (
    control,
    kills,
    stops,
    brokers,
    stores,
    members,
    inputs,
    parking,
    humans,
    labellers,
    learners,
    disks,
    soak,
)
_ALL: tuple[Row, ...] = tuple(row for family in FAMILIES for row in family.ROWS)
ROWS = tuple(sorted(_ALL, key=lambda row: (not row.shares, repr(row.setup))))
