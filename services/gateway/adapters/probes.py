"""What another service says of its own readiness."""

import asyncio
from collections.abc import Mapping
from typing import Literal, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.clock import Monotonic
from shared.http import Check

# One answer serves all checks of a request, and of a flood of them.
FRESH_SECONDS = 0.5
ANSWER_SECONDS = 2.0
OK = "ok"


class ServiceState(BaseModel):
    """`ready` when everything that service needs answers; `checks` has `ok` or the reason."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    status: Literal["ready", "not ready", "unreachable"]
    checks: Mapping[str, str] = {}


class Probe(Protocol):
    """Reads a service's state; never raises, an absent service is `unreachable`."""

    async def read(self) -> ServiceState: ...


class HttpProbe:
    """GET {url}/ready, at most once per half second."""

    def __init__(
        self, name: str, url: str, client: httpx.AsyncClient, monotonic: Monotonic
    ) -> None:
        self._name = name
        self._url = url.rstrip("/")
        self._client = client
        self._monotonic = monotonic
        self._lock = asyncio.Lock()
        self._state = ServiceState(status="unreachable")
        self._until = 0.0

    async def read(self) -> ServiceState:
        async with self._lock:
            if self._monotonic() >= self._until:
                self._state = await self._ask()
                self._until = self._monotonic() + FRESH_SECONDS
            return self._state

    async def _ask(self) -> ServiceState:
        try:
            answer = await self._client.get(f"{self._url}/ready", timeout=ANSWER_SECONDS)
            return ServiceState.model_validate_json(answer.content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            reason = f"{self._url} does not answer: {error or type(error).__name__}"
        except ValidationError:
            reason = f"{self._url}/ready answers something that is no readiness"
        return ServiceState(status="unreachable", checks={self._name: reason})


def whole(probe: Probe) -> Check:
    """A check of everything the service needs."""

    async def check() -> str | None:
        state = await probe.read()
        if state.status == "ready":
            return None
        if state.status == "unreachable":
            return "; ".join(state.checks.values())
        reasons = [f"{name}: {text}" for name, text in state.checks.items() if text != OK]
        return "; ".join(reasons) or state.status

    return check


def named(probe: Probe, name: str) -> Check:
    """A check of one thing the service reports by name."""

    async def check() -> str | None:
        state = await probe.read()
        if state.status == "unreachable":
            return "unknown: " + "; ".join(state.checks.values())
        text = state.checks.get(name, "the service does not report it")
        return None if text == OK else text

    return check
