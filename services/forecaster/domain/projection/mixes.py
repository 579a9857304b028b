"""Days of every queue, topic and priority together: noted per batch, folded into windows later.

Nearly every ticket of a batch has a combination of its own, so counting them at once would cost
as much as all other windows. A batch leaves one note of them; notes of many batches are added up
before they touch the windows.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import orjson

from services.forecaster.domain.projection.commands import ITEMS_PER_COMMAND, Command, runs
from services.forecaster.domain.projection.windows import increments
from shared import redis_keys as keys
from shared.mixes import Mix
from shared.windows import DAY_SECONDS, Grain, cell_of, period_of

# How many tickets fell on (queue, topic, priority or "", day since the epoch).
Mixed = Counter[tuple[str, str, str, int]]


def note_commands(mixed: Mixed) -> Iterator[Command]:
    """One note of what a batch counted."""
    if mixed:
        note = orjson.dumps([[*where, count] for where, count in mixed.items()])
        yield ("RPUSH", keys.MIX_NOTES, note.decode())


def fold_commands(notes: Sequence[bytes]) -> Iterator[Command]:
    """Add the oldest notes to the windows, and take them off the list."""
    days, members = _added(notes)
    for (queue, member, period), cells in days.items():
        yield from increments(keys.mix(period, queue, member), cells)
    for queue, names in members.items():
        for run in runs(sorted(names), ITEMS_PER_COMMAND):
            yield ("SADD", keys.mixes(queue), *run)
    yield ("LTRIM", keys.MIX_NOTES, len(notes), -1)


def _added(
    notes: Iterable[bytes],
) -> tuple[dict[tuple[str, str, str], Counter[int]], dict[str, set[str]]]:
    days: dict[tuple[str, str, str], Counter[int]] = {}
    members: dict[str, set[str]] = {}
    for note in notes:
        for queue, topic, priority, day, count in orjson.loads(note):
            member = Mix(topic, priority).member
            moment = datetime.fromtimestamp(day * DAY_SECONDS, UTC)
            place = (queue, member, period_of(Grain.DAY, moment))
            days.setdefault(place, Counter())[cell_of(Grain.DAY, moment)] += count
            members.setdefault(queue, set()).add(member)
    return days, members
