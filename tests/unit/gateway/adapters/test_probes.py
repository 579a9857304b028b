"""What other services say of themselves, told as reasons."""

from collections.abc import Callable

import httpx
import pytest

from services.gateway.adapters.probes import HttpProbe, Probe, ServiceState, named, whole
from tests.unit.gateway.builders import FakeProbe, TickingClock

NOT_READY = ServiceState(
    status="not ready", checks={"kafka": "ok", "model": "training", "redis": "gone"}
)


class Service:
    """Answers /ready as told, and counts how often it was asked."""

    def __init__(self, answer: Callable[[], httpx.Response]) -> None:
        self.asked = 0
        self._answer = answer

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/ready"
        self.asked += 1
        return self._answer()


def over_http(service: Service, monotonic: Callable[[], float] | None = None) -> HttpProbe:
    client = httpx.AsyncClient(transport=httpx.MockTransport(service))
    return HttpProbe("classifier", "http://classifier:8002/", client, monotonic or TickingClock())


def as_http(state: ServiceState) -> Probe:
    status = 200 if state.status == "ready" else 503
    return over_http(Service(lambda: httpx.Response(status, json=state.model_dump())))


@pytest.mark.parametrize("probe_of", [FakeProbe, as_http])
class TestProbe:
    """The fake and the real one."""

    async def test_a_ready_service(self, probe_of: Callable[[ServiceState], Probe]) -> None:
        probe = probe_of(ServiceState(status="ready", checks={"kafka": "ok"}))
        assert await whole(probe)() is None
        assert await named(probe, "kafka")() is None

    async def test_a_service_that_is_not_ready(
        self, probe_of: Callable[[ServiceState], Probe]
    ) -> None:
        probe = probe_of(NOT_READY)
        assert await probe.read() == NOT_READY
        assert await whole(probe)() == "model: training; redis: gone"
        assert await named(probe, "kafka")() is None
        assert await named(probe, "model")() == "training"
        assert await named(probe, "disk")() == "the service does not report it"


def _refused() -> httpx.Response:
    raise httpx.ConnectError("connection refused")


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_refused, "http://classifier:8002 does not answer: connection refused"),
        (lambda: httpx.Response(200, text="<html>"), "answers something that is no readiness"),
        (lambda: httpx.Response(200, json={"status": "fine"}), "no readiness"),
    ],
)
async def test_a_service_nobody_understands(
    answer: Callable[[], httpx.Response], reason: str
) -> None:
    probe = over_http(Service(answer))
    told = await whole(probe)()
    assert told is not None
    assert reason in told
    assert await named(probe, "kafka")() == f"unknown: {told}"


async def test_several_checks_ask_once() -> None:
    service = Service(lambda: httpx.Response(200, json={"status": "ready", "checks": {}}))
    probe = over_http(service, lambda: 7.0)
    await whole(probe)()
    await named(probe, "kafka")()
    assert service.asked == 1
