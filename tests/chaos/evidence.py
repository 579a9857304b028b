"""What a failed row leaves behind: topics, Redis and logs, in a folder."""

import asyncio
import shutil
from base64 import b64encode
from pathlib import Path
from typing import Any

import orjson
import redis

from shared import topics
from tests.chaos import logbook
from tests.chaos.checker import Store
from tests.chaos.world import World


def keep(world: World, folder: Path, reason: str) -> Path:
    """Write everything that can still be read to `folder`, answer it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "reason.txt").write_text(f"seed {world.seed}\n{reason}\n")
    accepted = orjson.dumps(world.ledger.accepted, option=orjson.OPT_INDENT_2)
    (folder / "accepted.json").write_bytes(accepted)
    logs = world.directory / "logs"
    if logs.exists():
        shutil.copytree(logs, folder / "logs")
    for server in (world.broker, world.valkey):
        if server.is_alive():
            server.thaw()
    for topic in topics.ALL:
        try:
            _dump_topic(world.bootstrap, topic, folder)
        except (TimeoutError, OSError, RuntimeError) as error:
            (folder / f"{topic.name}.missing").write_text(repr(error))
    try:
        _dump_redis(world.store, folder / "redis.jsonl")
    except redis.RedisError as error:
        (folder / "redis.missing").write_text(repr(error))
    return folder


def _dump_topic(bootstrap: str, topic: topics.Topic, folder: Path) -> None:
    with (folder / f"{topic.name}.jsonl").open("wb") as file:
        for partition, entries in sorted(asyncio.run(logbook.read(bootstrap, topic)).items()):
            for entry in entries:
                shown = {
                    "partition": partition,
                    "offset": entry.offset,
                    "key": _text(entry.key),
                    "value": _text(entry.value),
                }
                file.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))


def _dump_redis(store: Store, path: Path) -> None:
    readers = {
        b"string": store.get,
        b"hash": store.hgetall,
        b"set": store.smembers,
        b"list": lambda name: store.lrange(name, 0, -1),
        b"zset": lambda name: store.zrange(name, 0, -1, withscores=True),
        b"stream": lambda name: store.xrevrange(name, count=1_000),
    }
    with path.open("wb") as file:
        for name in sorted(store.scan_iter(count=1_000)):
            kind = store.type(name)
            shown = {"key": _text(name), "type": kind.decode(), "value": repr(readers[kind](name))}
            file.write(orjson.dumps(shown, option=orjson.OPT_APPEND_NEWLINE))


def _text(raw: bytes | None) -> Any:
    if raw is None:
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return {"base64": b64encode(raw).decode()}
