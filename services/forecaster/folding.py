"""Folds the notes of queue, topic and priority together into their windows, exactly once."""

from mode import Service

from services.forecaster.adapters.read_side import Position, ReadSide
from services.forecaster.domain.projection.mixes import fold_commands
from shared import redis_keys as keys

FOLD_SECONDS = 5.0
# Each note is one batch; so many together cost the event loop some milliseconds.
NOTES_AT_ONCE = 50


class MixFolding(Service):  # type: ignore[misc]
    """Adds up what many batches noted, before it touches the windows."""

    def __init__(self, read_side: ReadSide) -> None:
        super().__init__()
        self._read_side = read_side

    @Service.task  # type: ignore[untyped-decorator]
    async def _fold_often(self) -> None:
        while not self.should_stop:
            while await self.fold() == NOTES_AT_ONCE:
                pass
            await self.sleep(FOLD_SECONDS)

    async def fold(self) -> int:
        """Fold the oldest notes; answers how many there were.

        How many were folded so far is compared and moved like a position: where another process
        folded them meanwhile, nothing happens.
        """
        before = await self._read_side.position(keys.MIX_NOTES, 0)
        notes = await self._read_side.mix_notes(NOTES_AT_ONCE)
        if notes:
            after = Position(before.offset + len(notes))
            commands = fold_commands(notes)
            await self._read_side.apply(keys.MIX_NOTES, 0, before.offset, after, commands)
        return len(notes)
