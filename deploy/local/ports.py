"""TCP ports of this machine: which are free, and whether something answers."""

import functools
import itertools
import random
import socket
from collections.abc import Iterator, Mapping

from shared.errors import Misconfigured

LOOPBACK = "127.0.0.1"
# Below the ports that the kernel gives to outgoing connections (32768 and up on Linux): a client
# that keeps trying a dead server's port there can in the end be connected to itself, and holds it.
CHOICE = range(20_000, 32_000)
SHARE = 300


def free_ports(count: int) -> list[int]:
    """Different ports nobody listens on, and nobody else draws while this process lives.

    Each port comes again after SHARE - 2 others: the port of a server that is dead for a moment is
    not given to another.
    """
    _, share = _own_share()
    return list(itertools.islice(filter(is_free, itertools.islice(share, SHARE - 1)), count))


@functools.cache
def _own_share() -> tuple[socket.socket, Iterator[int]]:
    """A part of CHOICE for this process: whoever is bound to its first port owns the rest."""
    for first in random.sample(CHOICE[::SHARE], len(CHOICE) // SHARE):
        guard = socket.socket()
        try:
            guard.bind((LOOPBACK, first))
        except OSError:
            guard.close()
        else:
            return guard, itertools.cycle(range(first + 1, first + SHARE))
    raise Misconfigured(
        f"No ports are left between {CHOICE.start} and {CHOICE.stop}: too many tests or benches "
        "run at once on this machine; end some of them."
    )


def is_free(port: int) -> bool:
    """Could a server listen here now?"""
    with socket.socket() as probe:
        # As servers do: a port that only has connections in TIME_WAIT is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def require_free(ports: Mapping[str, int]) -> None:
    """Raise Misconfigured for the first taken port; keys are the settings that move them."""
    for setting, port in ports.items():
        if not is_free(port):
            raise Misconfigured(
                f"Port {port} is already taken: stop the process that listens there "
                f"(`ss -ltnp 'sport = :{port}'` names it) or choose another with {setting}=PORT."
            )
