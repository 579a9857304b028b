"""A model that is slow or breaks on one ticket, clocks that jump, and models that cannot load."""

import asyncio
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.labelling import EXPLOSIVE, PROGRAM
from tests.chaos.row import Row
from tests.chaos.rows.inputs import parked, parked_records
from tests.chaos.world import Setup, World

LAG = "deskstream_intake_lag_records"
GROWTH_MB = 60.0
EXIT_SECONDS = 60.0
# Every process that ends takes its deadline, its restart and its partitions' way to others.
HANG_PATIENCE = 420.0


def slow(world: World) -> None:
    """Tickets come faster than the model, even on a busy machine: lag grows, nothing else does."""
    world.recover()
    names = ("classifier-0", "classifier-1")
    before = {name: world.rss(name) for name in names}
    pids = {name: world.services[name].pid for name in names}
    with world.feeding(2_000, rate=800, batch=100) as feeder:
        world.until(lambda: world.metric("classifier-0", LAG) > 500, "the lag grows")
        world.reach(feeder, 1.0)
    world.until(world.at_rest, "the backlog is worked off")
    for name in names:
        grown = world.rss(name) - before[name]
        world.notes[f"{name} grew by MB"] = round(grown, 1)
        assert grown < GROWTH_MB, f"{name} grew by {grown:.0f} MB"
        assert world.services[name].pid == pids[name], f"{name} was restarted"
    verdict = world.settle()
    assert verdict.replayed == 0, f"{verdict.replayed} tickets were labelled twice: a rebalance"


def fragile(world: World) -> None:
    """The model raises for one ticket: that one is parked, its neighbours are labelled."""
    before = asyncio.run(parked(world)).total()
    work = world.tickets(400)
    work[world.rng.randrange(len(work))]["subject"] = f"please {EXPLOSIVE}"
    with world.feeding(work):
        pass
    world.until(world.at_rest, "everything is labelled or parked")
    reasons = [record.reason for record in asyncio.run(parked_records(world))][before:]
    assert reasons == ["model-error"], f"parked for {reasons}"


def skewed(world: World) -> None:
    """Wall clocks of classifier and forecaster jump by days: windows follow the tickets' time."""
    with world.feeding(1_000) as feeder:
        world.reach(feeder, 0.5)
        world.forecaster.kill()
        world.recover()


def stuck(world: World) -> None:
    """The event loop hangs: the watchdog outside of it ends the process, which comes back."""
    flag = world.directory / "hung"
    world.stop("classifier-0")
    worker = world.run("classifier-0", PROGRAM, CHAOS_CLOCK="hanging", CHAOS_FLAG=str(flag))
    world.until_ready()
    flag.touch()
    with world.feeding(200, batch=5):
        world.until(lambda: not flag.exists(), "the loop hangs")
        world.until(lambda: "no sign of life" in worker.log.read_text(), "the watchdog bites")
        world.recover()


def hanging(last_words: str) -> Callable[[World], None]:
    """The model never returns from one ticket: its process ends, and the ticket is parked."""

    def act(world: World) -> None:
        members = [world.services[name] for name in world.services if "classifier" in name]
        before = asyncio.run(parked(world)).total()
        with world.feeding(200):
            pass
        world.until(world.at_rest, "everything is labelled")
        work = world.tickets(200)
        work[world.rng.randrange(len(work))]["subject"] = f"please {EXPLOSIVE}"
        started = time.monotonic()
        with world.feeding(work):
            pass
        world.until(world.at_rest, "everything is labelled or parked", HANG_PATIENCE)
        world.recoveries.append(time.monotonic() - started)
        reasons = [record.reason for record in asyncio.run(parked_records(world))][before:]
        assert reasons == ["model-error"], f"parked for {reasons}"
        logs = "".join(member.log.read_text() for member in members)
        ends = logs.count(last_words)
        world.notes["processes ended"] = ends
        # The first time with others, the second time alone; each member learns it for itself.
        assert 2 <= ends <= 2 * len(members), f"{ends} processes said {last_words!r}"

    return act


def damaged_model(world: World) -> None:
    """A classifier whose model is cut, swapped or gone refuses to start and says what to do."""
    whole = world.models
    for what, damage in {"cut": _cut, "foreign": _foreign, "unpromoted": _unpromoted}.items():
        models = world.directory / f"models-{what}"
        shutil.copytree(whole, models)
        damage(models)
        worker = world.process(f"with-{what}", "services.classifier", CLASSIFIER_MODELS=str(models))
        worker.start()
        code = worker.wait(EXIT_SECONDS)
        worker.kill()
        words = worker.log.read_text()
        assert code == 1, f"with a {what} model the classifier ended with {code}"
        assert "train" in words, f"with a {what} model it does not say what to do: {words[-300:]}"
        assert "Traceback" not in words, f"with a {what} model it fell over: {words[-300:]}"
    with world.feeding(300):
        pass


def _version(models: Path) -> Path:
    return models / (models / "current").read_text().strip()


def _cut(models: Path) -> None:
    path = _largest(models)
    path.write_bytes(path.read_bytes()[:-1_000])


def _foreign(models: Path) -> None:
    _largest(models).write_bytes(b"not a model at all")


def _largest(models: Path) -> Path:
    return max(_version(models).iterdir(), key=lambda path: path.stat().st_size)


def _unpromoted(models: Path) -> None:
    (models / "current").unlink()


ROWS = (
    Row(
        "slow-model",
        "the model needs longer than tickets leave it",
        slow,
        Setup(classifier=PROGRAM, environment=(("CHAOS_LABELLER", "slow"),)),
        spoils=True,
    ),
    Row(
        "fragile-model",
        "an exception for one ticket only",
        fragile,
        Setup(classifier=PROGRAM, environment=(("CHAOS_LABELLER", "fragile"),)),
    ),
    Row(
        "clock-skew",
        "clocks a day ahead and a day behind, in turn",
        skewed,
        Setup(
            classifier=PROGRAM,
            forecaster="tests.chaos.projecting",
            environment=(("CHAOS_CLOCK", "jumping"),),
        ),
    ),
    Row(
        "stuck-loop",
        "an event loop that hangs",
        stuck,
        Setup(classifier=PROGRAM, classifiers=1),
        spoils=True,
    ),
    Row(
        "hanging-model",
        "the model never returns from one ticket",
        hanging("the model has not answered"),
        Setup(
            classifier=PROGRAM,
            environment=(("CHAOS_LABELLER", "hanging"), ("CLASSIFIER_MODEL_SECONDS", "5")),
        ),
        spoils=True,
    ),
    Row(
        "seizing-model",
        "the model hangs and lets no other thread run",
        hanging("Timeout (0:01:00)!"),
        Setup(
            classifier=PROGRAM,
            classifiers=1,
            environment=(("CHAOS_LABELLER", "seizing"),),
        ),
        spoils=True,
    ),
    Row("damaged-model", "the model is cut, foreign or missing", damaged_model),
)
