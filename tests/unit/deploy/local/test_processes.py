"""Child processes end when they are told to, when they must, and when their parent is gone."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local.processes import ChildProcess
from deploy.local.workspace import CHECKOUT
from tests.deadlines import wait_until

POLITE = "import time; print('up', flush=True); time.sleep(600)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + POLITE
BUSY = (
    "import threading; from time import sleep; work = lambda: [sleep(1e-4) for _ in iter(int, 1)]; "
    "[threading.Thread(target=work).start() for _ in range(8)]; print('up', flush=True)"
)
# A grandchild of the same group, as a server with workers has.
PARENT = (
    "import subprocess, sys; "
    f"child = subprocess.Popen([sys.executable, '-c', {POLITE!r}]); "
    "print(child.pid, flush=True); child.wait()"
)
# What a process says last is not always why it ends.
DYING = """
print('{"level": "critical", "message": "stacks of all threads"}')
print('{"level": "critical", "message": "the end"}')
print('{"level": "error", "message": "an Error"}')
print('OSError: of the shutdown')
"""


def _child(folder: Path, program: str, **options: object) -> ChildProcess:
    command = [sys.executable, "-c", program]
    return ChildProcess("stand-in", command, log=folder / "child.log", **options)  # type: ignore[arg-type]


def _said(child: ChildProcess) -> str:
    return wait_until(child.log.read_text, what="its first word")


def _state(stat: Path) -> str:
    """The letter of proc(5), section stat: R runs, S sleeps, T is stopped, Z is over."""
    return stat.read_text().rpartition(")")[2].split()[0]


def _gone(pid: int) -> bool:
    """No such process, or only its entry until its parent asks for it."""
    try:
        return _state(Path(f"/proc/{pid}/stat")) == "Z"
    except OSError:
        return True


def test_stop_lets_a_polite_process_end_itself(tmp_path: Path) -> None:
    child = _child(tmp_path, POLITE)
    child.start()
    _said(child)
    child.stop()
    assert not child.is_alive()
    assert child.returncode == -signal.SIGTERM


def test_stop_kills_a_stubborn_process_after_its_grace(tmp_path: Path) -> None:
    child = _child(tmp_path, STUBBORN, grace_seconds=0.2)
    child.start()
    _said(child)
    child.stop()
    assert child.returncode == -signal.SIGKILL


def test_stop_wakes_a_frozen_process_first(tmp_path: Path) -> None:
    child = _child(tmp_path, POLITE)
    child.start()
    _said(child)
    child.freeze()
    child.stop()
    assert child.returncode == -signal.SIGTERM


def test_all_of_a_frozen_process_stands_still_from_then_on(tmp_path: Path) -> None:
    child = _child(tmp_path, BUSY)
    child.start()
    _said(child)
    for _ in range(50):
        child.freeze()
        threads = Path(f"/proc/{child.pid}/task").glob("*/stat")
        assert {_state(stat) for stat in threads} == {"T"}
        child.thaw()
    child.kill()


def test_to_freeze_the_frozen_or_the_dying_does_not_wait(tmp_path: Path) -> None:
    child = _child(tmp_path, POLITE)
    child.start()
    _said(child)
    child.freeze()
    child.freeze()
    os.kill(child.pid, signal.SIGKILL)
    child.freeze()
    wait_until(lambda: not child.is_alive(), what="its end is seen")
    assert child.returncode == -signal.SIGKILL


@pytest.mark.parametrize("end", [ChildProcess.stop, ChildProcess.kill])
def test_what_a_process_started_ends_with_it(
    tmp_path: Path, end: Callable[[ChildProcess], None]
) -> None:
    child = _child(tmp_path, PARENT)
    child.start()
    grandchild = int(_said(child).split()[0])
    end(child)
    wait_until(lambda: _gone(grandchild), what="the grandchild ends")


def test_a_process_starts_again_and_its_log_grows(tmp_path: Path) -> None:
    child = _child(tmp_path, "print('line')")
    for _ in range(2):
        child.start()
        assert child.wait(30) == 0
    assert child.log.read_text() == "line\nline\n"


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("print('ValueError: no such port'); print('bye')", "code 0: ValueError: no such port"),
        ("print('only'); print('lines'); raise SystemExit(3)", "code 3: lines"),
        ("""print('{"level": "error", "message": "an Error"}')""", "code 0: an Error"),
        (DYING, "code 0: the end"),
        ("print('FATAL no disk'); print('an Error follows')", "code 0: FATAL no disk"),
        ("print('7'); print('[]')", "code 0: []"),
        ("import os; print('Error of old'); os.kill(os.getpid(), 9)", "killed by SIGKILL"),
        ("raise SystemExit(1)", "code 1"),
    ],
)
def test_last_words_say_how_it_ended_and_why(tmp_path: Path, program: str, words: str) -> None:
    child = _child(tmp_path, program)
    child.start()
    child.wait(30)
    assert child.last_words() == words


def test_last_words_are_those_of_the_last_start(tmp_path: Path) -> None:
    (tmp_path / "child.log").write_text("OldError: of a former life\n")
    child = _child(tmp_path, "print('fine')")
    child.start()
    child.wait(30)
    assert child.last_words() == "code 0: fine"


@pytest.mark.parametrize("last_signal", [signal.SIGKILL, signal.SIGTERM])
def test_children_die_with_a_runner_that_cannot_say_goodbye(
    tmp_path: Path, last_signal: signal.Signals
) -> None:
    log = tmp_path / "child.log"
    program = (
        "import sys, time; from pathlib import Path; "
        "from deploy.local.processes import ChildProcess; "
        f"command, log = [sys.executable, '-c', {POLITE!r}], Path({str(log)!r}); "
        "child = ChildProcess('stand-in', command, log=log); "
        "child.start(); print(child.pid, flush=True); time.sleep(600)"
    )
    runner = subprocess.Popen(
        [sys.executable, "-c", program], cwd=CHECKOUT, stdout=subprocess.PIPE, text=True
    )
    assert runner.stdout is not None
    with runner.stdout:
        pid = int(runner.stdout.readline())
    assert not _gone(pid)
    os.kill(runner.pid, last_signal)
    runner.wait()
    wait_until(lambda: _gone(pid), what="the guardian ends the orphan")
