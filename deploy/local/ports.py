"""TCP ports of this machine: which are free, and whether something answers."""

import socket
from collections.abc import Mapping

from shared.errors import Misconfigured

LOOPBACK = "127.0.0.1"


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on. Held together while choosing, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for candidate in sockets:
            candidate.bind((LOOPBACK, 0))
        return [candidate.getsockname()[1] for candidate in sockets]
    finally:
        for candidate in sockets:
            candidate.close()


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
