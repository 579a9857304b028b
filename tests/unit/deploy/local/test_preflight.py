"""Which Java this is, and what is said about a port that somebody has."""

import os
import shutil
import socket
from pathlib import Path

import pytest

from deploy.local import ports
from deploy.local.preflight import java_version, require_java
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


JAVA = """echo 'openjdk version "17.0.1"' >&2"""
# An apt-get that notes how it was called and, like the real one, needs lists before it installs.
APT = """
echo "$*" >> {folder}/calls
case "$*" in
update*) : > {folder}/lists ;;
install*) [ -e {folder}/lists ] || exit 100
    cp {folder}/java.script {folder}/java; cp {folder}/java.script {folder}/mvn ;;
esac
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine that has only what is put into this folder."""
    for tool in ("env", "cp", "true"):
        (tmp_path / tool).symlink_to(shutil.which(tool) or tool)
    _script(tmp_path / "sudo", '[ "$1" = -n ] && shift; exec "$@"')
    _script(tmp_path / "java.script", JAVA)
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def _script(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_what_is_missing_is_installed_once_the_package_lists_are_there(machine: Path) -> None:
    _script(machine / "apt-get", APT.format(folder=machine))
    said: list[str] = []
    require_java(said.append)
    calls = (machine / "calls").read_text().splitlines()
    assert [call.split()[0] for call in calls] == ["install", "update", "install"]
    assert calls[-1].endswith("openjdk-17-jre-headless maven")
    assert said == ["Installing openjdk-17-jre-headless maven with apt-get, once ..."]
    require_java(said.append)
    assert len(said) == 1


def test_an_installation_that_fails_says_what_to_type(machine: Path) -> None:
    _script(machine / "apt-get", "exit 100")
    with pytest.raises(Misconfigured, match="run `apt-get install openjdk-17-jre-headless maven`"):
        require_java(lambda _: None)


def test_without_apt_the_missing_program_is_named(machine: Path) -> None:
    _script(machine / "java", JAVA)
    with pytest.raises(Misconfigured, match="`mvn` is not on the PATH: install it"):
        require_java(lambda _: None)


def test_without_the_right_to_install_nothing_is_tried(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _script(machine / "apt-get", APT.format(folder=machine))
    _script(machine / "sudo", "exit 1")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Misconfigured, match="`java` is not on the PATH"):
        require_java(lambda _: None)
    assert not (machine / "calls").exists()
