"""A Valkey of each module with the helpdesk's load in it, and a client of the gateway over it."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from redis.asyncio import Redis

from deploy.local.valkey import LocalValkey
from tests.contracts.gateway.helpdesk import fill, running


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of one module alone: its tests may add to what is there."""
    with LocalValkey(tmp_path_factory.mktemp("load")) as valkey:
        yield valkey.url


@pytest.fixture(scope="module")
async def filled(url: str) -> str:
    async with Redis.from_url(url) as client:
        await fill(client)
    return url


@pytest.fixture
async def http(filled: str) -> AsyncIterator[httpx.AsyncClient]:
    async with running(filled) as client:
        yield client
