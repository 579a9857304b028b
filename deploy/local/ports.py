"""TCP ports of this machine: which are free, and whether something answers."""

import itertools
import random
import socket
from collections.abc import Mapping

from shared.errors import Misconfigured

LOOPBACK = "127.0.0.1"


# Below the ports that the kernel gives to outgoing connections (32768 and up on Linux): a client
# that keeps trying a dead server's port there can in the end be connected to itself, and holds it.
CHOICE = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Different ports nobody listens on, at random, so that two runs hardly choose the same."""
    candidates = random.sample(CHOICE, len(CHOICE))
    return list(itertools.islice(filter(is_free, candidates), count))


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
