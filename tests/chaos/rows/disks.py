"""Disks that are full: a small tmpfs under the broker or under Redis."""

import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tests.chaos.row import Row, Skipped
from tests.chaos.world import Setup, World

BROKER_SIZE, REDIS_SIZE = "128m", "24m"
RETRIES = "deskstream_forecaster_redis_retries_total"
BALLAST = "ballast"
BATCH = 25


def on_tmpfs(size: str, field: str) -> Callable[[Path, Setup], Setup]:
    """A `prepare` that puts one store on a disk of `size`."""

    def prepare(folder: Path, setup: Setup) -> Setup:
        if os.geteuid() != 0:
            raise Skipped("needs root: mounts a small tmpfs as the disk that gets full")
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Skipped(f"cannot mount a tmpfs: {done.stderr.strip()}")
        return replace(setup, **{field: folder / "data"})  # type: ignore[arg-type]

    return prepare


def unmount(folder: Path) -> None:
    """Undo `on_tmpfs`."""
    if folder.is_mount():
        subprocess.run(["umount", "--lazy", str(folder)], check=False)  # noqa: S607


def broker(world: World) -> None:
    """No 202 without a disk; with space again everything goes on."""
    disk = world.broker.directory.parent
    with world.feeding(900) as feeder:
        world.reach(feeder, 0.3)
        _fill(disk)
        # The feeder may have come to its end before the disk was full.
        world.until(lambda: world.post(world.tickets(BATCH)) == 503, "ingest refuses")
        (disk / BALLAST).unlink()
        _restarted(world)
        world.recover()


def redis(world: World) -> None:
    """The append-only file cannot grow: nothing is applied until it can."""
    disk = world.valkey.directory.parent
    with world.feeding(3_000, rate=300, batch=50) as feeder:
        world.reach(feeder, 0.2)
        pid = world.forecaster.pid
        _fill(disk)
        before = world.metric("forecaster", RETRIES)

        def refused() -> bool:
            # The feeder may have come to its end before the disk was full.
            world.post(world.tickets(BATCH))
            return not world.valkey.is_alive() or world.metric("forecaster", RETRIES) > before

        world.until(refused, "Redis refuses to write")
        (disk / BALLAST).unlink()
        if not world.valkey.is_alive():
            world.valkey.start()
        world.recover()
        assert world.forecaster.pid == pid, "the forecaster did not wait, it fell over"


def _fill(disk: Path) -> None:
    with (disk / BALLAST).open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            with suppress(OSError):
                while file.write(b"\0" * size):
                    pass


def _restarted(world: World) -> None:
    """Kafka ends by itself when it cannot write; whoever supervises it starts it again."""
    started = time.monotonic()
    if not world.broker.answers():
        world.broker.kill()
    if not world.broker.is_alive():
        world.broker.start()
    world.notes["broker start"] = round(time.monotonic() - started, 1)


ROWS = (
    Row(
        "full-disk-broker",
        "the broker's disk is full",
        broker,
        prepare=on_tmpfs(BROKER_SIZE, "kafka_directory"),
        clean_up=unmount,
    ),
    Row(
        "full-disk-redis",
        "Redis's disk is full",
        redis,
        prepare=on_tmpfs(REDIS_SIZE, "redis_directory"),
        clean_up=unmount,
    ),
)
