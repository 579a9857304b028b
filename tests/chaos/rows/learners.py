"""What classifiers learned from corrections: the same after any death, from any snapshot."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import orjson

from shared.events import CorrectionLogEvent, RefitDue, TicketCorrected
from shared.topics import CORRECTED
from tests.builders import NOON, a_correction
from tests.chaos import logbook
from tests.chaos.row import Row
from tests.chaos.world import World

NAMES = ("classifier-0", "classifier-1")
# Every fourth refit is kept as a snapshot.
REFITS = 9
MANIFEST = "manifest.json"


def killed_while_learning(world: World) -> None:
    """SIGKILL of a classifier between corrections and refits: both know the same in the end."""
    _apart(world)
    for round_ in range(3):
        _append(world, _lesson(world, 2 * round_))
        world.services[world.rng.choice(NAMES)].kill()
        _append(world, _lesson(world, 2 * round_ + 1))
        _agreed(world)
    with world.feeding(300):
        pass


def damaged_snapshot(world: World) -> None:
    """The newest snapshot is cut, all are of a newer release or gone: older ones do, or none."""
    folders = _apart(world)
    for number in range(REFITS):
        _append(world, _lesson(world, number))
        _agreed(world)
    _append(world, [_correction(world, f"after-{n}") for n in range(3)])
    learned = _agreed(world)
    folder = folders["classifier-0"]
    worker = world.services["classifier-0"]
    damages: tuple[tuple[str, Callable[[Path], None], slice], ...] = (
        ("cut", _cut, slice(-1, None)),
        ("newer", _from_the_future, slice(None)),
        ("gone", shutil.rmtree, slice(None)),
    )
    for what, damage, part in damages:
        worker.kill()
        written = worker.log.stat().st_size
        # Looked up each time: who catches up saves snapshots again, and discards old ones.
        kept = sorted(path for path in folder.iterdir() if path.is_dir())
        assert len(kept) > 1, f"only {kept} were kept of {REFITS} refits"
        for version in kept[part]:
            damage(version)
        started = time.monotonic()
        found = _agreed(world)
        world.recoveries.append(time.monotonic() - started)
        assert found == learned, f"with {what} snapshots the model is another"
        words = worker.log.read_bytes()[written:].decode()
        passed_over = 0 if what == "gone" else len(kept[part])
        assert words.count("is passed over") == passed_over, words[-500:]
    with world.feeding(300):
        pass


def _apart(world: World) -> dict[str, Path]:
    """Each classifier with a folder of its own, so that none lives on another's snapshots."""
    folders = {name: world.directory / f"snapshots-{name}-{world.seed}" for name in NAMES}
    for name, folder in folders.items():
        world.stop(name)
        world.run(name, world.setup.classifier, CLASSIFIER_SNAPSHOTS=str(folder))
    world.until_ready()
    return folders


def _lesson(world: World, number: int) -> list[CorrectionLogEvent]:
    made: list[CorrectionLogEvent] = [_correction(world, f"{number}-{n}") for n in range(3)]
    return [*made, RefitDue(event_id=f"refit-{world.seed}-{number}", received_at=NOON)]


def _correction(world: World, name: str) -> TicketCorrected:
    topic = world.rng.choice(("Network", "Hardware", "Beamers"))
    body = f"the {world.rng.choice(('beamer', 'router', 'lamp'))} of room {name} stays dark"
    return a_correction(
        event_id=f"c-{world.seed}-{name}", ticket_id=f"c-{name}", topic=topic, body=body
    )


def _append(world: World, events: list[CorrectionLogEvent]) -> None:
    values: list[bytes | None] = [event.model_dump_json().encode() for event in events]
    asyncio.run(logbook.append(world.bootstrap, CORRECTED, values, 0, b"k"))


def _agreed(world: World) -> tuple[int, str]:
    """The offset and the digest of both classifiers, once they stand at the log's end."""
    ends = asyncio.run(logbook.ends(world.bootstrap, [CORRECTED]))
    end = ends[CORRECTED.name, 0]

    def same() -> str:
        found = [_model(world, name) for name in NAMES]
        there = all(each["settled"] and each["log_offset"] == end for each in found)
        digests = {str(each["probe_digest"]) for each in found}
        return digests.pop() if there and len(digests) == 1 else ""

    return end, world.until(same, f"both classifiers agree at offset {end}")


def _model(world: World, name: str) -> dict[str, Any]:
    answer: dict[str, Any] = httpx.get(f"{world.url(name)}/model", timeout=10).json()
    return answer


def _cut(version: Path) -> None:
    path = max(version.iterdir(), key=lambda each: each.stat().st_size)
    path.write_bytes(path.read_bytes()[:-1_000])


def _from_the_future(version: Path) -> None:
    manifest = orjson.loads((version / MANIFEST).read_bytes())
    (version / MANIFEST).write_bytes(orjson.dumps(manifest | {"format": 1_000}))


ROWS = (
    Row("kill-learner", "SIGKILL of classifiers while they learn", killed_while_learning),
    Row(
        "damaged-snapshot",
        "what was learned is cut, of a newer release, or gone",
        damaged_snapshot,
        spoils=True,
    ),
)
