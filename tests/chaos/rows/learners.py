"""What classifiers learned from corrections: the same after any death, from any snapshot."""

import asyncio
import shutil
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import httpx
import orjson

from deploy.local.processes import ChildProcess
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


def log_made_anew(world: World) -> None:
    """The correction log is deleted and made anew under running workers: they learn that one."""
    folders = _apart(world)
    semantic = world.run("semantic", "services.classifier", "semantic")
    world.until_ready()
    for number in range(REFITS // 2):
        _append(world, _lesson(world, number))
        _agreed(world)
    with world.feeding(300) as feeder:
        world.reach(feeder, 0.3)
        end, _ = _agreed(world)
        workers = [world.services[name] for name in NAMES] + [semantic]
        written = {worker.name: worker.log.stat().st_size for worker in workers}
        asyncio.run(logbook.make_anew(world.bootstrap, CORRECTED, world.setup.partitions))
        # As docs/operations.md has it: Redis holds what the old log said.
        world.store.flushall()
        started = time.monotonic()
        # As long as the old log, longer, shorter, or nothing yet: repetitions take turns.
        length = (end, end + 7, end // 2, 0)[world.seed % 4]
        world.notes |= {"old log": end, "new log": length}
        lessons = (_lesson(world, 100 + number) for number in range(length))
        _append(world, list(chain.from_iterable(lessons))[:length])
        for worker in workers:
            world.until(lambda w=worker: _ended(w, written[w.name]), f"{worker.name} ends itself")  # type: ignore[misc]
        world.until_ready()
        _append(world, _lesson(world, 1_000))
        _correct_one(world)
        _agreed(world)
        world.recoveries.append(time.monotonic() - started)
    worker = world.services[NAMES[0]]
    worker.kill()
    shutil.rmtree(folders[worker.name])
    world.until(lambda: _looked(world) == _agreed(world), "the semantic worker agrees")
    world.stop("semantic")


def _looked(world: World) -> tuple[int, str]:
    """The offset and the digest of the semantic worker."""
    found = httpx.get(f"{world.url('semantic')}/semantic", timeout=10).json()
    return int(found["log_offset"]), str(found["probe_digest"])


def _ended(worker: ChildProcess, since: int) -> bool:
    """Did it say, after that many bytes of its log, that this is another correction log?"""
    return b"is not the log that was folded" in worker.log.read_bytes()[since:]


def _correct_one(world: World) -> None:
    """By way of ingest, whose producer numbers what it sends; returns once a mark follows it."""
    before = asyncio.run(logbook.ends(world.bootstrap, [CORRECTED]))[CORRECTED.name, 0]
    body = {"ticket_id": "by-ingest", "actor": "kim", "topic": "Lamps", "body": "a lamp is dark"}
    posted = f"{world.url('ingest')}/v1/corrections"
    world.until(lambda: httpx.post(posted, json=body, timeout=10).status_code == 202, "a 202")

    def marked() -> bool:
        ends = asyncio.run(logbook.ends(world.bootstrap, [CORRECTED]))
        return ends[CORRECTED.name, 0] >= before + 2

    world.until(marked, "the correction and its mark are written")


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

    def same() -> tuple[int, str] | None:
        found = [_model(world, name) for name in NAMES]
        learned = {(int(each["log_offset"]), str(each["probe_digest"])) for each in found}
        if len(learned) > 1 or not all(each["settled"] for each in found):
            return None
        # Asked each time: a classifier tells of words that it meets, whenever that is.
        ends = asyncio.run(logbook.ends(world.bootstrap, [CORRECTED]))
        agreed = learned.pop()
        return agreed if agreed[0] == ends[CORRECTED.name, 0] else None

    agreed = world.until(same, "both classifiers agree at the log's end")
    assert agreed is not None
    return agreed


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
    Row(
        "log-made-anew",
        "the correction log is deleted and made anew under those who fold it",
        log_made_anew,
        spoils=True,
    ),
)
