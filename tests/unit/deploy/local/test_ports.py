"""Ports for runs that stand side by side on one machine."""

import subprocess
import sys

from deploy.local.ports import SHARE, free_ports

DRAW = """
import sys
from deploy.local.ports import free_ports
print(*free_ports(200), flush=True)
sys.stdin.read()
"""


def test_two_processes_never_draw_the_same_port() -> None:
    command = [sys.executable, "-c", DRAW]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = set(map(int, other.stdout.readline().split()))
        ours = set(free_ports(SHARE - 50))
        other.communicate("")
    assert len(theirs) == 200
    assert len(ours) == SHARE - 50
    assert ours.isdisjoint(theirs)


def test_a_port_comes_again_only_after_the_others() -> None:
    first, second = free_ports(40), free_ports(40)
    assert len({*first, *second}) == 80
