"""A source that is fed, a group of echo workers that suffer, and what came out in the end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from deploy.local.ports import free_ports
from deploy.local.processes import ChildProcess
from tests.deadlines import eventually

T = TypeVar("T")
# Work per chunk, in milliseconds: long enough to be killed in.
PAUSE_MS = "3"


@dataclass(frozen=True)
class Outcome:
    """fed: records acknowledged; lost: without an output; gaps: holes in a partition's order."""

    fed: int
    lost: int
    gaps: int
    duplicates: int
    committed: int


class Scenario:
    """One run. Workers are processes, so that signals hit them as they would in production."""

    def __init__(self, bootstrap: str, name: str, folder: Path, partitions: int = 8) -> None:
        self.bootstrap = bootstrap
        self.source, self.target, self.group = f"{name}.in", f"{name}.out", f"{name}.group"
        self._folder = folder
        self._partitions = partitions
        self._urls: dict[str, str] = {}
        self._workers: dict[str, ChildProcess] = {}
        self.fed = 0
        self._enough = asyncio.Event()

    async def create_topics(self) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        try:
            topics = [NewTopic(name, self._partitions, 1) for name in (self.source, self.target)]
            await admin.create_topics(topics)
        finally:
            await admin.close()

    def start(self, name: str) -> ChildProcess:
        (port,) = free_ports(1)
        arguments = [self.bootstrap, self.source, self.target, self.group]
        arguments += [PAUSE_MS, str(port)]
        self._urls[name] = f"http://127.0.0.1:{port}"
        module = "tests.integration.streaming.echo"
        worker = ChildProcess(
            name, [sys.executable, "-m", module, *arguments], log=self._folder / f"{name}.log"
        )
        worker.start()
        self._workers[name] = worker
        return worker

    async def readiness(self, name: str) -> tuple[int, str]:
        """Status and text of the worker's /ready; 0 while it does not listen."""
        async with httpx.AsyncClient() as http:
            try:
                answer = await http.get(f"{self._urls[name]}/ready")
            except httpx.TransportError:
                return 0, ""
        return answer.status_code, answer.text

    def stop(self) -> None:
        for worker in self._workers.values():
            worker.stop()

    async def feed(self, per_second: int) -> None:
        """Send records round robin until `enough`; `fed` counts those that were acknowledged."""
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, enable_idempotence=True)
        await producer.start()
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            while not self._enough.is_set():
                sent = [
                    await producer.send(self.source, b"x", partition=n % self._partitions)
                    for n in range(self.fed, self.fed + per_second // 10)
                ]
                await asyncio.gather(*sent)
                self.fed += len(sent)
                await asyncio.sleep(max(0.0, begun + self.fed / per_second - loop.time()))
        finally:
            await producer.stop()

    def enough(self) -> None:
        """Let `feed` end. Until then there is always more to progress on, however slow all is."""
        self._enough.set()

    async def progressed(self, records: int) -> None:
        """Wait until the group has written `records` more than now."""
        start = await self.written()

        async def more() -> bool:
            return await self.written() >= start + records

        await eventually(more, 90, what=f"{records} more records written")

    async def written(self) -> int:
        async def ends(consumer: AIOKafkaConsumer) -> int:
            partitions = [TopicPartition(self.target, p) for p in range(self._partitions)]
            return sum((await consumer.end_offsets(partitions)).values())

        return await self._ask(ends)

    async def committed(self) -> int:
        async def total(consumer: AIOKafkaConsumer) -> int:
            partitions = [TopicPartition(self.source, p) for p in range(self._partitions)]
            return sum([await consumer.committed(tp) or 0 for tp in partitions])

        return await self._ask(total)

    async def outcome(self) -> Outcome:
        """Wait until the group committed all that was fed, then read what it wrote."""

        async def all_committed() -> bool:
            return await self.committed() == self.fed

        await eventually(all_committed, 120, what=f"all {self.fed} records committed")
        lost = gaps = duplicates = 0
        for partition, offsets in (await self._read()).items():
            highest = -1
            for offset in offsets:
                duplicates += offset <= highest
                gaps += offset > highest + 1
                highest = max(highest, offset)
            fed_here = len(range(partition, self.fed, self._partitions))
            lost += fed_here - len(set(offsets))
        return Outcome(self.fed, lost, gaps, duplicates, await self.committed())

    async def _read(self) -> dict[int, list[int]]:
        wanted = await self.written()
        found: dict[int, list[int]] = {partition: [] for partition in range(self._partitions)}

        async def drain(consumer: AIOKafkaConsumer) -> dict[int, list[int]]:
            partitions = [TopicPartition(self.target, p) for p in range(self._partitions)]
            consumer.assign(partitions)
            await consumer.seek_to_beginning(*partitions)
            while sum(map(len, found.values())) < wanted:
                for tp, records in (await consumer.getmany(timeout_ms=1000)).items():
                    found[tp.partition] += [orjson.loads(r.value)["so"] for r in records]
            return found

        return await self._ask(drain, member=False)

    async def _ask(
        self, question: Callable[[AIOKafkaConsumer], Awaitable[T]], *, member: bool = True
    ) -> T:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self.bootstrap,
            # A group only to ask for its commits; nothing is subscribed, so nobody is disturbed.
            group_id=self.group if member else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        try:
            return await question(consumer)
        finally:
            await consumer.stop()
