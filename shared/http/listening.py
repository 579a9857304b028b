"""Binding a service's port and running it, with one clear sentence when the port is taken."""

import errno
import socket

import uvicorn
from fastapi import FastAPI

from shared.errors import Misconfigured


def listen(host: str, port: int) -> socket.socket:
    """A bound TCP socket. Raises Misconfigured when the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol must be named: asyncio sends without delay (TCP_NODELAY) only where it is, and a
    # body that waits for the acknowledgement of its headers comes 40 ms late.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        if error.errno != errno.EADDRINUSE:
            raise Misconfigured(f"cannot listen on {host}:{port}: {error.strerror}") from error
        raise Misconfigured(
            f"port {port} on {host} is already taken: stop what uses it or choose another port"
        ) from error
    bound.set_inheritable(True)
    return bound


def run_http(app: FastAPI, host: str, port: int) -> None:
    """Serve `app` until SIGTERM or SIGINT."""
    config = uvicorn.Config(app, loop="uvloop", http="httptools", log_config=None, access_log=False)
    uvicorn.Server(config).run(sockets=[listen(host, port)])
