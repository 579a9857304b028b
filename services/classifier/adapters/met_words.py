"""Words of live tickets that have no vector yet, told to all workers through the correction log."""

import logging
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from aiokafka.errors import KafkaError
from mode import Service

from shared.clock import Clock
from shared.events import WordsMet
from shared.streaming.producer import Outbox
from shared.topics import CORRECTED

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 30.0
_KEY: Final = b"words"


class MetWords(Service):  # type: ignore[misc]
    """Writes one record of words now and then, where there are any.

    Were each worker to encode what it meets, two workers would answer the same ticket differently
    at the same offset. Words that two workers tell of are encoded once: the second record changes
    nothing. What is lost with the process will be met again.
    """

    def __init__(
        self,
        take: Callable[[], list[str]],
        outbox: Outbox,
        clock: Clock,
        every: float = EVERY_SECONDS,
    ) -> None:
        """`take` gives words once, at most as many as go into a record; `every`: seconds."""
        super().__init__()
        self._take = take
        self._outbox = outbox
        self._clock = clock
        self._every = every

    @Service.task  # type: ignore[untyped-decorator]
    async def _tell(self) -> None:
        while not self.should_stop:
            await self.sleep(self._every)
            if words := self._take():
                await self._write(words)

    async def _write(self, words: list[str]) -> None:
        record = WordsMet(event_id=str(uuid4()), received_at=self._clock(), words=tuple(words))
        try:
            await self._outbox.send(CORRECTED.name, 0, [(_KEY, record.model_dump_json().encode())])
        except KafkaError as fault:
            log.warning("%s words met were not told of: %r", len(words), fault)
