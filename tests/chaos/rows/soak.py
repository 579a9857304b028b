"""Hours in small: a steady load, and memory that must not grow with it."""

import os
import time

import numpy as np

from tests.chaos.row import Row
from tests.chaos.world import World

RATE = 100.0
SAMPLE_SECONDS = 5.0
# MB per minute over the second half, when caches and pools are full.
SLOPE = 1.0


def steady(world: World) -> None:
    """CHAOS_SOAK_MINUTES (20) of tickets; the slope of each process's memory."""
    seconds = 60 * float(os.environ.get("CHAOS_SOAK_MINUTES", "20"))
    world.run("gateway", "services.gateway")
    # Few tickets to compare with, so that they are remembered by half-time.
    world.run("semantic", "services.classifier", "semantic", SEMANTIC_RECENT="2000")
    world.until_ready()
    started = time.monotonic()
    samples: list[tuple[float, dict[str, float]]] = []

    def sampled_to_the_end() -> bool:
        now = time.monotonic() - started
        if not samples or now - samples[-1][0] > SAMPLE_SECONDS:
            samples.append((now, {name: world.rss(name) for name in world.services}))
        return now > seconds

    with world.feeding(int(RATE * seconds), rate=RATE, batch=20):
        world.until(sampled_to_the_end, "the soak is over", 2 * seconds + 60)
    half = samples[len(samples) // 2 :]
    minutes = np.array([at / 60 for at, _ in half])
    for name in world.services:
        slope = float(np.polyfit(minutes, [sizes[name] for _, sizes in half], 1)[0])
        world.notes[f"{name} MB/min"] = round(slope, 2)
        world.notes[f"{name} MB"] = round(samples[-1][1][name])
    for name in world.services:
        slope = world.notes[f"{name} MB/min"]
        assert slope < SLOPE, f"{name} grows by {slope:.2f} MB a minute"
    assert not world.supervisor.restarts, "something was restarted"


ROWS = (Row("soak", "a steady load for CHAOS_SOAK_MINUTES (20)", steady, spoils=True),)
