"""One contract for the texts of tickets, and what only Redis can get wrong."""

from collections.abc import AsyncIterator, Callable

import pytest
import redis

from deploy.local.ports import free_ports
from services.ingest.adapters.ticket_texts import (
    InMemoryTicketTexts,
    RedisTicketTexts,
    Text,
    TicketTexts,
)
from shared import redis_keys
from shared.errors import Unavailable
from shared.read_model import TicketRecord
from shared.settings import RedisSettings
from tests.builders import a_label

pytestmark = [pytest.mark.integration]


def a_ticket_record(ticket_id: str) -> TicketRecord:
    label = a_label(ticket_id=ticket_id, subject="VPN", body="the tunnel drops", queue="IT")
    return TicketRecord(**label.model_dump() | {"updated_at": label.created_at})


@pytest.fixture(params=["memory", "redis"])
async def texts(
    request: pytest.FixtureRequest, unique: Callable[[str], str]
) -> AsyncIterator[tuple[TicketTexts, str]]:
    """The port, and the id of the one ticket it knows."""
    known = unique("t")
    made: TicketTexts
    if request.param == "memory":
        made = InMemoryTicketTexts({known: Text("VPN", "the tunnel drops")})
    else:
        url = request.getfixturevalue("redis_url")
        with redis.Redis.from_url(url) as store:
            record = a_ticket_record(known).model_dump_json()
            store.set(redis_keys.ticket(known), record, ex=600)
            store.set(redis_keys.ticket(f"{known}-broken"), b"{", ex=600)
        made = RedisTicketTexts(RedisSettings(url=url))
    yield made, known
    await made.stop()


async def test_known_tickets_are_found_and_others_are_not(texts: tuple[TicketTexts, str]) -> None:
    port, known = texts
    found = await port.of([known, f"{known}-unknown", f"{known}-broken"])
    assert found == {known: Text("VPN", "the tunnel drops")}


async def test_nothing_is_asked_for_nothing(texts: tuple[TicketTexts, str]) -> None:
    assert await texts[0].of([]) == {}


async def test_a_store_that_is_away_is_said_to_be() -> None:
    (port,) = free_ports(1)
    away: list[TicketTexts] = [
        RedisTicketTexts(RedisSettings(url=f"redis://127.0.0.1:{port}/0")),
        InMemoryTicketTexts(outage="away"),
    ]
    for texts in away:
        assert await texts.of([]) == {}
        with pytest.raises(Unavailable) as refusal:
            await texts.of(["t1"])
        assert refusal.value.retry_after > 0
        await texts.stop()
