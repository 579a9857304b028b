"""Commands for the read side, cut so that each stays of a size that Redis takes well."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

# No bytes: the MessagePack that Redis has in its Lua knows none.
Argument = str | int | float
Command = tuple[Argument, ...]
Item = TypeVar("Item")
# Lua's unpack fails near 8,000 values; one command stays far below.
ITEMS_PER_COMMAND = 1_000


def runs(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """`items` in runs of at most `size`."""
    for at in range(0, len(items), size):
        yield items[at : at + size]
