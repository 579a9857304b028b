"""What the kernel accounts to a process."""

import os
from pathlib import Path


def cpu_seconds(pid: int) -> float:
    """User and system time of a running process, its threads included, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mb(pid: int) -> float:
    """Resident memory of a running process, in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise ProcessLookupError(pid)


def resident(pid: int) -> dict[str, float]:
    """Memory of a running process in MB: Rss counts every page it has mapped and touched, Pss a
    shared one by its share, Private only what ends with it, Anonymous what is no page of a file."""
    found = {"Rss": 0.0, "Pss": 0.0, "Private": 0.0, "Anonymous": 0.0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, kilobytes = line.split()[:2]
        key = "Private" if name.startswith("Private_") else name.rstrip(":")
        if key in found:
            found[key] += int(kilobytes) * 1024 / 1e6
    return found
