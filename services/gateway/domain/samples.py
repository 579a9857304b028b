"""The newest rows of a table as contract A shows it."""

from collections.abc import Mapping
from datetime import date, timedelta

import numpy as np

from services.gateway.domain.queues import QueueTree
from shared.windows import Counts

TICKET_COLUMNS: tuple[str, ...] = ("queueId", "date", "new_tickets")
HIERARCHY_COLUMNS: tuple[str, ...] = ("queueId", "level", "immediateDescendants", "allDescendants")
Row = dict[str, int | str | list[int]]


def ticket_rows(daily: Mapping[int, Counts], first: date, most: int) -> list[Row]:
    """Days with tickets by queue id, the newest first. daily: tickets per day from `first` on."""
    found = [
        (int(day), queue, int(counts[day]))
        for queue, counts in daily.items()
        for day in np.flatnonzero(counts)
    ]
    found.sort(key=lambda row: (-row[0], row[1]))
    return [
        {
            "queueId": queue,
            "date": f"{first + timedelta(days=day):%d.%m.%Y}",
            "new_tickets": tickets,
        }
        for day, queue, tickets in found[:most]
    ]


def hierarchy_rows(tree: QueueTree, most: int) -> list[Row]:
    """Queues from the root down, as an upload of the tree would have them."""
    nodes = sorted(tree.nodes, key=lambda node: (node.level, node.path))
    return [
        {
            "queueId": node.id,
            "level": node.level,
            "immediateDescendants": [
                below.id
                for path in node.descendants
                if (below := tree.at(path)).level == node.level + 1
            ],
            "allDescendants": [tree.at(path).id for path in node.descendants],
        }
        for node in nodes[:most]
    ]
