"""What a machine needs before anything starts: Java 17 and Maven, by apt where possible."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable

from shared.errors import Misconfigured

JAVA_WANTED = 17
PACKAGES = {"java": "openjdk-17-jre-headless", "mvn": "maven"}
ADVICE = "install it (Debian and Ubuntu: `sudo apt-get install openjdk-17-jre-headless maven`)"


def require_java(announce: Callable[[str], None] = print) -> None:
    """Make sure that Java 17+ and Maven can be run. Raises Misconfigured with what to do."""
    missing = [package for command, package in PACKAGES.items() if shutil.which(command) is None]
    if missing:
        _install(missing, announce)
    for command in PACKAGES:
        if shutil.which(command) is None:
            raise Misconfigured(f"`{command}` is not on the PATH: {ADVICE} and try again.")
    version = java_version(_output(["java", "-version"]))
    if version is None or version < JAVA_WANTED:
        raise Misconfigured(
            f"Kafka 4 needs Java {JAVA_WANTED} or newer, and `java` here is {version or 'unknown'}:"
            f" {ADVICE}, and put it first on the PATH."
        )


def java_version(output: str) -> int | None:
    """The feature release in what `java -version` prints: 8 of "1.8.0_392", 17 of "17.0.15"."""
    found = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(found[1]) if found else None


def _install(packages: list[str], announce: Callable[[str], None]) -> None:
    """Through apt, where there is apt and the right to use it without asking for a password."""
    if shutil.which("apt-get") is None:
        return
    prefix = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if prefix and (shutil.which("sudo") is None or _fails([*prefix, "true"])):
        return
    names = " ".join(packages)
    announce(f"Installing {names} with apt-get, once ...")
    install = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "install", "-y", "-q"]
    command = [*install, "--no-install-recommends", *packages]
    # Releases after Debian 12 have 21 instead of 17.
    newer = [word.replace("openjdk-17", "openjdk-21") for word in command]
    if _fails(command):
        # The package lists of a fresh image are often empty; an update that fails in part helps.
        _fails([*prefix, "apt-get", "update", "-q"])
        if _fails(command) and _fails(newer):
            raise Misconfigured(f"apt-get could not install them: run `apt-get install {names}`.")


def _fails(command: list[str]) -> bool:
    quiet = subprocess.DEVNULL
    return subprocess.run(command, stdout=quiet, stderr=quiet, check=False).returncode != 0


def _output(command: list[str]) -> str:
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    ).stdout
