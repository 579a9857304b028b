"""The nightly refit: at the start of the worker, and when a day has ended."""

import logging
from collections.abc import Awaitable, Callable

from mode import Service

from services.forecaster.publishing import Publishing
from shared import metrics
from shared.errors import DeskstreamError

log = logging.getLogger(__name__)

# A minute after midnight at the latest; what is published already is left alone.
LOOK_SECONDS = 60.0
# At the start Kafka needs some seconds to hand out partitions.
WAIT_SECONDS = 2.0


class Refit(Service):  # type: ignore[misc]
    """Publishes what is not published yet, once the projection has caught up."""

    def __init__(
        self, publishing: Publishing, not_ready: Callable[[], Awaitable[str | None]]
    ) -> None:
        super().__init__()
        self._publishing = publishing
        self._not_ready = not_ready

    @Service.task  # type: ignore[untyped-decorator]
    async def _publish(self) -> None:
        while not self.should_stop:
            ready = True
            try:
                ready = await self.publish()
            except DeskstreamError as error:
                log.warning("forecasts not published: %s", error.detail)
            await self.sleep(LOOK_SECONDS if ready else WAIT_SECONDS)

    async def publish(self) -> bool:
        """Publish unless the read side is being rebuilt: half a history is no history."""
        if await self._not_ready() is not None:
            return False
        made = await self._publishing.publish()
        if made:
            metrics.FORECASTS.inc(made)
            log.info("published the forecasts of %s queues", made)
        return True
