"""A run as people start it: it serves, survives its broker, and leaves nothing behind."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.broker import answers_metadata
from deploy.local.valkey import answers_ping
from deploy.local.workspace import CHECKOUT
from tests.deadlines import wait_until

pytestmark = pytest.mark.integration


class Run:
    """`python -m deploy.local broker` on ports and folders of its own."""

    def __init__(self, folder: Path, **environment: str) -> None:
        kafka, redis, *services = ports.free_ports(7)
        self.kafka, self.redis = kafka, redis
        self.output = folder / "output"
        names = ["GATEWAY", "INGEST", "CLASSIFIER", "FORECASTER", "SEMANTIC"]
        # Stores that the test run was given are not this run's.
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"KAFKA_BOOTSTRAP_SERVERS", "REDIS_URL"}
        }
        self.environment = {
            **inherited,
            **{f"{n}_PORT": str(p) for n, p in zip(names, services, strict=True)},
            "KAFKA_PORT": str(kafka),
            "REDIS_PORT": str(redis),
            "DESKSTREAM_LOCAL": str(folder),
            **environment,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                # As from a terminal: who runs the tests in the background ignores Ctrl-C.
                ["/usr/bin/env", "--default-signal=INT", *self._command("broker")],
                cwd=CHECKOUT,
                env=self.environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def command(self, name: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(name),
            cwd=CHECKOUT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self, number: int) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def said(self) -> str:
        return self.output.read_text() if self.output.exists() else ""

    def serves(self) -> bool:
        return answers_metadata(self.kafka) and answers_ping(self.redis)

    def has_left_nothing(self) -> bool:
        return ports.is_free(self.kafka) and ports.is_free(self.redis)

    @staticmethod
    def _command(name: str) -> list[str]:
        return [sys.executable, "-m", "deploy.local", name]


@pytest.fixture
def make_run(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    made: list[Run] = []

    def make(**environment: str) -> Run:
        made.append(Run(tmp_path, **environment))
        return made[-1]

    yield make
    for run in made:
        if run.process is not None and run.process.poll() is None:
            run.end(signal.SIGTERM)


def _started(run: Run) -> Run:
    run.start()
    wait_until(lambda: "REDIS_URL=" in run.said(), 120, what="the run is up")
    assert run.serves()
    return run


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_everything(
    make_run: Callable[..., Run], number: signal.Signals
) -> None:
    run = _started(make_run())
    assert run.end(number) == 0
    assert run.has_left_nothing()


def test_even_a_killed_run_leaves_nothing(make_run: Callable[..., Run]) -> None:
    run = _started(make_run())
    run.end(signal.SIGKILL)
    wait_until(run.has_left_nothing, what="the guardian ended broker and Valkey")


def test_a_killed_broker_comes_back_and_the_user_is_told(make_run: Callable[..., Run]) -> None:
    run = _started(make_run())
    assert run.process is not None
    children = Path(f"/proc/{run.process.pid}/task/{run.process.pid}/children").read_text()
    [java] = [pid for pid in map(int, children.split()) if _program(pid) == "java"]
    os.kill(java, signal.SIGKILL)
    wait_until(lambda: "kafka ended" in run.said(), what="the user is told")
    wait_until(run.serves, 60, what="the broker is back")


def test_down_ends_the_run_of_another_terminal(make_run: Callable[..., Run]) -> None:
    run = _started(make_run())
    second = run.command("broker")
    assert second.returncode == 1
    assert "already runs" in second.stderr
    assert run.serves()
    assert run.command("down").stdout == "Stopped.\n"
    assert run.has_left_nothing()
    assert run.command("down").stdout == "Nothing is running.\n"


def test_a_taken_port_is_one_sentence_and_nothing_is_left(make_run: Callable[..., Run]) -> None:
    run = make_run()
    with socket.create_server((ports.LOOPBACK, run.kafka)):
        done = run.command("broker")
    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {run.kafka} is already taken")
    assert done.stderr.count("\n") == 1
    assert run.has_left_nothing()


@pytest.mark.parametrize(
    ("script", "sentence"),
    [
        ("echo 'openjdk version \"11.0.2\"' >&2", "Kafka 4 needs Java 17 or newer"),
        ("exit 1", "`java` here is unknown"),
    ],
)
def test_an_old_java_is_one_sentence_and_nothing_is_left(
    make_run: Callable[..., Run], tmp_path: Path, script: str, sentence: str
) -> None:
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.write_text(f"#!/bin/sh\n{script}\n")
    java.chmod(0o755)
    run = make_run(PATH=f"{java.parent}:{os.environ['PATH']}")
    done = run.command("broker")
    assert done.returncode == 1
    assert sentence in done.stderr
    assert "apt-get install" in done.stderr
    assert done.stderr.count("\n") == 1
    assert run.has_left_nothing()


@pytest.mark.parametrize(
    ("setting", "value", "sentence"),
    [
        ("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:1", "Kafka at 127.0.0.1:1 does not answer"),
        ("REDIS_URL", "redis://127.0.0.1:1/0", "Redis at redis://127.0.0.1:1/0 does not answer"),
        ("KAFKA_PARTITIONS", "many", "KAFKA_PARTITIONS=many"),
        ("KAFKA_SASL_USERNAME", "desk", "KafkaSettings: KAFKA_SASL_USERNAME is set, but"),
        ("REDIS_URL", "valkey:6379", "RedisSettings: REDIS_URL must begin with redis://"),
    ],
)
def test_a_store_of_ones_own_that_does_not_answer_is_one_sentence(
    make_run: Callable[..., Run], setting: str, value: str, sentence: str
) -> None:
    run = make_run(**{setting: value})
    done = run.command("broker")
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
    assert run.has_left_nothing()


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/comm").read_text().strip()
