"""Which Java this is, and what is said about a port that somebody has."""

import socket

import pytest

from deploy.local import ports
from deploy.local.preflight import java_version
from shared.errors import Misconfigured


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime Environment', 17),
        ('java version "1.8.0_392"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.2" 2024-01-16', 21),
        ("bash: java: not found", None),
    ],
)
def test_feature_release(output: str, version: int | None) -> None:
    assert java_version(output) == version


def test_free_ports_differ_and_are_free() -> None:
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert all(ports.is_free(port) for port in found)


def test_a_taken_port_is_named_with_the_setting_that_moves_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(Misconfigured, match=f"Port {port} is already taken.*GATEWAY_PORT=PORT"):
            ports.require_free({"GATEWAY_PORT": port})
