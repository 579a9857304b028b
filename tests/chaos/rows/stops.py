"""SIGTERM: a service ends within 25 s, whether its broker lives or not."""

from tests.chaos.row import Row
from tests.chaos.world import World

STOP_SECONDS = 25.0
SERVICES = ("ingest", "classifier-0", "classifier-1", "forecaster")


def live_broker(world: World) -> None:
    """A rolling restart under load ends each with exit code 0."""
    names = (*SERVICES, "gateway")
    world.run("gateway", "services.gateway")
    try:
        world.until(lambda: world.reason("gateway") == "", "the gateway is ready")
        with world.feeding(1_500) as feeder:
            for number, name in enumerate(names, start=1):
                world.reach(feeder, number / (len(names) + 1))
                service = world.services[name]
                service.terminate()
                code = service.wait(STOP_SECONDS)
                assert code == 0, f"{name} ended with {code} after SIGTERM"
                world.recover()
    finally:
        world.stop("gateway")


def dead_broker(world: World) -> None:
    """Nobody waits for a broker that is gone."""
    with world.feeding(600) as feeder:
        world.reach(feeder, 0.5)
        world.broker.kill()
        services = [world.services[name] for name in SERVICES]
        for service in services:
            service.terminate()
        for service in services:
            code = service.wait(STOP_SECONDS)
            assert code is not None, f"{service.name} still runs {STOP_SECONDS:.0f} s after SIGTERM"
        world.broker.start()
        world.recover()


ROWS = (
    Row("sigterm", "SIGTERM of each service, broker alive", live_broker),
    Row("sigterm-dead-broker", "SIGTERM of all services, broker dead", dead_broker, quick=True),
)
