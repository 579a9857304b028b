"""Processes that are stuck end, with a reason; those that were only frozen go on."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from shared.streaming.watchdog import EXIT_STUCK

SECONDS = 60.0

LOOP = """
import asyncio, logging, sys, time
from shared.streaming.watchdog import LastResort, Watchdog
logging.basicConfig(stream=sys.stderr)
beat = time.monotonic()

async def main(body):
    global beat
    Watchdog(lambda: time.monotonic() - beat, LIMIT, "the loop is silent").start()
    LastResort(LIMIT).start()
    print("ready", flush=True)
    for line in range(STEPS):
        await asyncio.sleep(0.02)
        beat = time.monotonic()
        body(line)
"""


@contextmanager
def _process(body: str, *, limit: float, steps: int = 1_000_000) -> Iterator[subprocess.Popen[str]]:
    code = LOOP.replace("LIMIT", str(limit)).replace("STEPS", str(steps))
    program = f"{code}\nasyncio.run(main({body}))\nprint('done')"
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_loop_that_stands_still_ends_the_process_with_a_line_and_the_stacks() -> None:
    with _process("lambda line: time.sleep(3600)", limit=1) as process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == EXIT_STUCK
    assert "ending the process: the loop is silent for" in errors
    assert "most recent call first" in errors


def test_code_that_keeps_every_thread_from_running_ends_too() -> None:
    # Backtracks 2^60 times without ever letting go of the interpreter.
    body = "lambda line: __import__('re').match('(a|a)*$', 'a' * 60 + 'b')"
    with _process(body, limit=1) as process:
        _, errors = process.communicate(timeout=SECONDS)
    assert process.returncode == 1
    assert "Timeout" in errors
    assert "most recent call first" in errors


def test_a_log_that_nobody_reads_does_not_keep_a_stuck_process_alive() -> None:
    body = "lambda line: sys.stderr.write('x' * 1_000_000)"
    with _process(body, limit=1) as process:
        assert process.wait(SECONDS) != 0


def test_a_process_that_was_frozen_goes_on() -> None:
    with _process("lambda line: None", limit=20, steps=100) as process:
        process.send_signal(signal.SIGSTOP)
        time.sleep(1)  # the freeze itself
        process.send_signal(signal.SIGCONT)
        out, errors = process.communicate(timeout=SECONDS)
    assert (process.returncode, out) == (0, "done\n"), errors
