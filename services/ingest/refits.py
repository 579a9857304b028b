"""Marks in the correction log where every model is to fit itself anew."""

import asyncio
import logging
from uuid import uuid4

from services.ingest.adapters.publisher import Publisher
from services.ingest.domain.admission import Message
from shared.clock import Clock
from shared.errors import Unavailable
from shared.events import RefitDue
from shared.topics import CORRECTED

log = logging.getLogger(__name__)

KEY = "refit"


class RefitMarks:
    """Writes one mark some seconds after the first of any number of corrections.

    A mark that is lost with its process costs nothing but time: the next corrections bring another,
    and each correction is in force without one.
    """

    def __init__(self, publisher: Publisher, clock: Clock, pause: float) -> None:
        self._publisher = publisher
        self._clock = clock
        self._pause = pause
        self._writing: asyncio.Task[None] | None = None

    def due(self) -> None:
        """Corrections were accepted."""
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def stop(self) -> None:
        """Write no more."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.wait([self._writing])

    async def _write(self) -> None:
        while True:
            await asyncio.sleep(self._pause)
            mark = RefitDue(event_id=str(uuid4()), received_at=self._clock())
            try:
                await self._publisher.publish(
                    CORRECTED, [Message(KEY, mark.model_dump_json().encode())]
                )
            except Unavailable as away:
                log.warning("the models' refit waits: %s", away.detail)
            else:
                return
