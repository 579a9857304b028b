"""The supervisor restarts with growing pauses, gives up with a sentence, and stops in order."""

import pytest

from deploy.local.supervision import PATIENCE, SETTLED_SECONDS, Supervisor
from shared.errors import Misconfigured


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class StandIn:
    """A service that dies when told to, and writes what happened to it into a diary."""

    def __init__(self, name: str, diary: list[str]) -> None:
        self.name = name
        self.running = False
        self._diary = diary

    def start(self) -> None:
        self.running = True
        self._diary.append(f"start {self.name}")

    def terminate(self) -> None:
        self._diary.append(f"terminate {self.name}")

    def stop(self) -> None:
        self.running = False
        self._diary.append(f"stop {self.name}")

    def is_alive(self) -> bool:
        return self.running

    def last_words(self) -> str:
        return "out of luck"


def test_pauses_double_until_the_longest_and_restarts_are_counted() -> None:
    clock, said = Clock(), list[str]()
    supervisor = Supervisor(said.append, clock)
    service = StandIn("ingest", [])
    supervisor.start(service)
    pauses = []
    for _ in range(PATIENCE):
        service.running = False
        supervisor.watch()
        begun = clock.now
        while not service.is_alive():
            clock.now += 0.25
            supervisor.watch()
        pauses.append(clock.now - begun)
    assert pauses == [0.5, 1, 2, 4, 8, 8, 8]
    assert supervisor.restarts == PATIENCE
    assert said[0] == "ingest ended (out of luck); again in 0.5 s"


def test_a_service_that_dies_every_time_ends_the_run_with_its_last_words() -> None:
    clock = Clock()
    supervisor = Supervisor(lambda _: None, clock)
    service = StandIn("ingest", [])
    supervisor.start(service)

    def live_a_thousand_seconds() -> None:
        for _ in range(1000):
            service.running = False
            supervisor.watch()
            clock.now += 1

    with pytest.raises(Misconfigured, match="ingest ended 8 times in a row: out of luck"):
        live_a_thousand_seconds()


def test_a_service_that_had_settled_starts_over_with_the_first_pause() -> None:
    clock, said = Clock(), list[str]()
    supervisor = Supervisor(said.append, clock)
    service = StandIn("ingest", [])
    supervisor.start(service)
    for _ in range(3 * PATIENCE):
        clock.now += SETTLED_SECONDS + 1
        service.running = False
        supervisor.watch()
        clock.now += 0.5
        supervisor.watch()
        assert service.running
    assert set(said) == {"ingest ended (out of luck); again in 0.5 s"}


def test_stop_ends_the_stages_in_order_and_each_together() -> None:
    diary: list[str] = []
    supervisor = Supervisor(lambda _: None)
    broker, one, two = (StandIn(name, diary) for name in ("broker", "one", "two"))
    for service in (broker, one, two):
        supervisor.start(service)
    diary.clear()
    supervisor.stop([[one, two], [broker]])
    assert diary == [
        "terminate one", "terminate two", "stop one", "stop two", "terminate broker", "stop broker",
    ]  # fmt: skip


def test_a_service_interrupted_in_its_start_is_stopped_too() -> None:
    diary: list[str] = []
    supervisor = Supervisor(lambda _: None)

    class Interrupted(StandIn):
        def start(self) -> None:
            super().start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        supervisor.start(Interrupted("broker", diary))
    supervisor.stop()
    assert diary[-1] == "stop broker"
