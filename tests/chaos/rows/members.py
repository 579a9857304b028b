"""The group: zombies, storms, static members, topics and partitions that appear later."""

import asyncio
import time
from datetime import datetime
from itertools import pairwise

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions
from aiokafka.coordinator.assignors.sticky.sticky_assignor import StickyPartitionAssignor

from deploy.local.processes import ChildProcess
from shared import redis_keys as keys
from shared import topics
from shared.events import LABEL_RECORD, TicketLabelled
from tests.chaos import logbook
from tests.chaos.feeder import one_per_partition
from tests.chaos.row import Row
from tests.chaos.world import Setup, World, received

ASSIGNED = "deskstream_intake_assigned_partitions"
LAG = "deskstream_intake_lag_records"
COUNTED = "deskstream_forecaster_counted_total"
# From the moment that a member serves, by when it has asked to join and was refused, to its end.
EXIT_SECONDS = 30.0
# From the making of topics or partitions until their tickets are readable.
SEEN_SECONDS = 30.0
STORM_CYCLES = 6
# Somewhere something must get through, however often the group begins anew. The longer a member
# takes to start, on a busy machine, the longer a group waits for it.
STORM_SILENCE_SECONDS = 30.0
STORM_SILENCE_STARTS = 2.0
# A restart of a static member; without static membership the others wait for its session's end.
STALL_SECONDS = 1.0


def owned(world: World, name: str, topic: topics.Topic = topics.RECEIVED) -> float:
    """Partitions of `topic` that a service says it owns."""
    return world.metric(name, f'{ASSIGNED}{{topic="{topic.name}"}}')


def frozen_classifier(world: World) -> None:
    """SIGSTOP past the session; the partitions move; then the zombie wakes and goes on sending."""
    zombie, heir = world.rng.sample(["classifier-0", "classifier-1"], 2)
    with world.feeding(2_000) as feeder:
        world.reach(feeder, 0.2)
        world.services[zombie].freeze()
        try:
            world.until(lambda: owned(world, heir) == world.setup.partitions, "the heir has all")
            world.recover()
        finally:
            world.services[zombie].thaw()
        world.until(lambda: owned(world, zombie) > 0, "the zombie belongs to the group again")
        world.recover()


def frozen_projector(world: World) -> None:
    """The same with the forecaster, whose late batches Redis must refuse."""
    world.run("forecaster-2", "services.forecaster")
    everything = world.setup.partitions
    try:
        world.until(lambda: owned(world, "forecaster-2", topics.LABELLED) > 0, "there are two")
        with world.feeding(2_000) as feeder:
            world.reach(feeder, 0.2)
            world.forecaster.freeze()
            try:
                world.until(
                    lambda: owned(world, "forecaster-2", topics.LABELLED) == everything,
                    "the other has all",
                )
                world.recover()
            finally:
                world.forecaster.thaw()
            world.recover()
    finally:
        world.stop("forecaster-2")


def two_projectors(world: World) -> None:
    """Two groups, so that both own every partition all the time: two writers, one effect."""
    world.run("forecaster-2", "services.forecaster", FORECASTER_GROUP="another")
    try:
        world.until(lambda: owned(world, "forecaster-2", topics.LABELLED) > 0, "both project")
        with world.feeding(2_000, rate=250) as feeder:
            world.reach(feeder, 0.5)
            # Each believes to have counted; where both wanted to, one had no effect.
            for name in ("forecaster", "forecaster-2"):
                world.until(lambda name=name: world.metric(name, COUNTED) > 0, f"{name} projects")  # type: ignore[misc]
            world.forecaster.kill()
            world.recover()
        world.until_ready()
    finally:
        world.stop("forecaster-2")


def storm(world: World) -> None:
    """A third member joins and leaves again and again, every second time without a word."""
    began = time.time()
    starts = [0.0]
    with world.feeding(6_000, rate=100) as feeder:
        for cycle in range(STORM_CYCLES):
            world.notes["rebalances"] = 2 * (cycle + 1)
            member = world.process(f"guest-{cycle}", world.setup.classifier)
            started = time.monotonic()
            member.start()
            try:
                world.until(lambda cycle=cycle: owned(world, f"guest-{cycle}") > 0, "it has joined")  # type: ignore[misc]
                starts.append(time.monotonic() - started)
                if cycle % 2:
                    member.stop()
            finally:
                member.kill()
            world.recover()
            if not feeder.is_alive():
                break
        ended = time.time()
    silence = _longest_silence(world, set(range(world.setup.partitions)), began, ended)
    world.notes["longest silence"] = round(silence, 1)
    limit = max(STORM_SILENCE_SECONDS, STORM_SILENCE_STARTS * max(starts))
    assert silence < limit, f"nothing was labelled for {silence:.0f} s, {limit:.0f} are allowed"


def static_member(world: World) -> None:
    """A quick restart of one named member moves no partition and stops nobody else."""
    with world.feeding(2_500, rate=150, batch=5) as feeder:
        world.reach(feeder, 0.2)
        others = _partitions_of(world, "classifier-1")
        assert 0 < len(others) < world.setup.partitions
        fell = time.time()
        world.services["classifier-0"].kill()
        world.recover()
        rose = time.time()
    assert _partitions_of(world, "classifier-1") == others, "partitions were moved"
    stall = _longest_silence(world, others, fell, rose)
    world.notes["stall of the others"] = round(stall, 2)
    assert stall < STALL_SECONDS, f"the others stood still for {stall:.1f} s"


def _partitions_of(world: World, name: str) -> set[int]:
    # A member reports the lag of what it owns.
    return {n for n in range(world.setup.partitions) if world.samples(name, _lag_of(n))}


def _lag_of(partition: int) -> str:
    return f'{LAG}{{partition="{partition}",topic="{topics.RECEIVED.name}"}}'


def _longest_silence(world: World, partitions: set[int], start: float, end: float) -> float:
    entries = asyncio.run(logbook.read(world.bootstrap, topics.LABELLED))
    moments: list[datetime] = []
    for partition in partitions:
        for entry in entries[partition]:
            record = LABEL_RECORD.validate_json(entry.value or b"")
            if isinstance(record, TicketLabelled):
                moments.append(record.labelled_at)
    times = sorted(m.timestamp() for m in moments if start <= m.timestamp() <= end)
    assert len(times) > 1, "the others labelled nothing in the meantime"
    return max(later - earlier for earlier, later in pairwise([start, *times]))


def topic_missing(world: World) -> None:
    """Services wait for topics that are made after them, and say so."""
    world.until(lambda: "topic" in world.reason("ingest"), "ingest names the missing topic")
    world.until(lambda: "assigned" in world.reason("classifier-0"), "the classifier is not ready")
    world.provision()
    world.recover(SEEN_SECONDS)
    world.until_ready()
    with world.feeding(300):
        pass


def partitions_added(world: World) -> None:
    """More partitions while everything runs: read within seconds, without a restart by hand."""
    before, after = world.setup.partitions, world.setup.partitions + 2
    with world.feeding(300):
        pass
    asyncio.run(_raise_partitions(world.bootstrap, after))
    started = time.monotonic()
    names = []
    for probe in one_per_partition(f"added-{world.seed}", after):
        partition = topics.partition_of(probe["ticket_id"], after)
        if partition >= before:
            world.append([received(probe)], partition)
            names.append(keys.ticket(probe["ticket_id"]))
    world.until(
        lambda: world.store.exists(*names) == len(names), "new partitions are read", SEEN_SECONDS
    )
    world.recoveries.append(time.monotonic() - started)


async def _raise_partitions(bootstrap: str, count: int) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        wanted = [topic.name for topic in topics.ALL if topic.partitioned]
        await admin.create_partitions({name: NewPartitions(count) for name in wanted})
    finally:
        await admin.close()


def coordinator_error(world: World) -> None:
    """The coordinator refuses a member for good: it must end, not idle, and come back later."""
    for name in ("classifier-0", "classifier-1"):
        world.stop(name)
    asyncio.run(_refused_by_a_squatter(world))
    for name in ("classifier-0", "classifier-1"):
        world.run(name, world.setup.classifier)
    with world.feeding(300):
        pass
    world.recover()


def _serves_or_ended(world: World, member: ChildProcess) -> bool:
    return not member.is_alive() or not world.reason(member.name).startswith("no answer")


async def _refused_by_a_squatter(world: World) -> None:
    """A member that speaks another assignment protocol holds the group."""
    squatter = AIOKafkaConsumer(
        topics.RECEIVED.name,
        bootstrap_servers=world.bootstrap,
        group_id="classifier",
        enable_auto_commit=False,
        partition_assignment_strategy=[StickyPartitionAssignor],
    )
    await squatter.start()
    try:
        member = world.process("refused", world.setup.classifier)
        member.start()
        # In a thread: the squatter must go on sending its heartbeats.
        await asyncio.to_thread(world.until, lambda: _serves_or_ended(world, member), "it starts")
        began = time.monotonic()
        code = await asyncio.to_thread(member.wait, EXIT_SECONDS)
        world.notes["seconds to the end"] = round(time.monotonic() - began, 1)
        member.kill()
        assert code, f"a member that was refused ended with {code}"
    finally:
        await squatter.stop()


ROWS = (
    Row(
        "freeze-classifier",
        "SIGSTOP of a classifier past its session, then SIGCONT",
        frozen_classifier,
        quick=True,
    ),
    Row("freeze-forecaster", "SIGSTOP of a forecaster past its session", frozen_projector),
    Row("two-projectors", "two projectors own all partitions", two_projectors),
    Row("rebalance-storm", "a member joins and leaves again and again", storm),
    Row(
        "static-member",
        "restart of one named member",
        static_member,
        # Longer than a process takes to start on a machine that has ten times too much to do.
        Setup(named_members=True, environment=(("INTAKE_SESSION_MS", "120000"),)),
    ),
    Row(
        "topic-missing",
        "topics appear after the services",
        topic_missing,
        Setup(provisioned=False, classifiers=1),
        spoils=True,
    ),
    Row(
        "partitions-added",
        "partitions are added while running",
        partitions_added,
        Setup(partitions=5, classifiers=1),
        spoils=True,
    ),
    Row("coordinator-error", "the coordinator refuses a member for good", coordinator_error),
)
