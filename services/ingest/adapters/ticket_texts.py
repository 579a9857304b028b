"""Texts of tickets already shown, for corrections that bring none: a model learns from texts."""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Protocol

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from shared import redis_keys
from shared.errors import Unavailable
from shared.read_model import TicketRecord
from shared.settings import RedisSettings

TIMEOUT_SECONDS = 1.0
RETRY_AFTER_SECONDS = 5


class Text(NamedTuple):
    """What a ticket says, masked when it came in."""

    subject: str
    body: str


class TicketTexts(Protocol):
    """Where texts are found. Implementations pass one contract test class."""

    async def of(self, ticket_ids: Collection[str]) -> Mapping[str, Text]:
        """The texts of those that are known. Raises Unavailable within a bounded time."""
        ...

    async def stop(self) -> None:
        """Let go of connections."""
        ...


class RedisTicketTexts:
    """The records that the forecaster's projection keeps; connects at the first call."""

    def __init__(self, settings: RedisSettings) -> None:
        self._redis: Any = Redis.from_url(
            **settings.connection(),
            socket_timeout=TIMEOUT_SECONDS,
            socket_connect_timeout=TIMEOUT_SECONDS,
        )

    async def of(self, ticket_ids: Collection[str]) -> Mapping[str, Text]:
        """One MGET; none for no ids."""
        if not ticket_ids:
            return {}
        wanted = list(ticket_ids)
        try:
            found = await self._redis.mget([redis_keys.ticket(known) for known in wanted])
        except (RedisError, OSError) as away:
            raise Unavailable(
                "Redis, which knows what the tickets say, does not answer; repeat the request "
                "later, or send subject and body with each correction",
                RETRY_AFTER_SECONDS,
            ) from away
        texts = {known: _text(raw) for known, raw in zip(wanted, found, strict=True) if raw}
        return {known: text for known, text in texts.items() if text is not None}

    async def stop(self) -> None:
        await self._redis.aclose()


class InMemoryTicketTexts:
    """Texts in this process, for tests and dry runs. `outage` is the reason why it is away."""

    def __init__(self, texts: Mapping[str, Text] | None = None, outage: str | None = None) -> None:
        self.texts = dict(texts or {})
        self.outage = outage

    async def of(self, ticket_ids: Collection[str]) -> Mapping[str, Text]:
        if ticket_ids and self.outage is not None:
            raise Unavailable(self.outage, RETRY_AFTER_SECONDS)
        return {known: self.texts[known] for known in ticket_ids if known in self.texts}

    async def stop(self) -> None:
        """Nothing is held."""


def _text(raw: bytes) -> Text | None:
    try:
        record = TicketRecord.model_validate_json(raw)
    except ValidationError:
        return None
    return Text(record.subject, record.body)
