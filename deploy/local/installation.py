"""Apache Kafka on this machine: jars from Maven Central, fetched once, and the command line."""

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from string import Template

from deploy.local.workspace import Workspace
from shared.errors import Misconfigured

POM = Path(__file__).with_name("pom.xml")
PROPERTIES = Path(__file__).with_name("server.properties")
LOGGING = Path(__file__).with_name("log4j2.yaml")
# Serial collector, C1 only, class-data sharing: 1.1 s to an open port and 310 MB instead of
# 2.3 s and 350 MB; C2's compiler threads would take a core from the services beside it.
FLAGS = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
# One embedded cluster is never joined with another, so one id serves all.
CLUSTER_ID = "MkU3OEVBNTcwNTJENDM2Qg"


@dataclass(frozen=True, slots=True)
class KafkaInstallation:
    """Jars, a formatted storage to copy, and the class-data archive, in one folder."""

    directory: Path

    @classmethod
    def default(cls) -> "KafkaInstallation":
        return cls(Workspace().kafka)

    @property
    def lib(self) -> Path:
        return self.directory / "lib"

    @property
    def formatted(self) -> Path:
        """A storage as `StorageTool format` leaves it; copying it saves a JVM start each time."""
        return self.directory / "formatted"

    @property
    def archive(self) -> Path:
        """Class-data archive; named by the JVM that wrote it, as no other can read it."""
        java = Path(shutil.which("java") or "java").resolve()
        stamp = f"{java} {java.stat().st_mtime_ns if java.exists() else 0}"
        return self.directory / f"kafka-{_digest(stamp.encode())}.jsa"

    def java(self, *flags: str, main: str, arguments: tuple[str, ...] = ()) -> list[str]:
        """The command line of one JVM program of Kafka."""
        # Sorted and spelled out: an archive is refused when the class path is another one.
        path = ":".join(str(jar) for jar in sorted(self.lib.glob("*.jar")))
        logging = f"-Dlog4j2.configurationFile={LOGGING}"
        return ["java", *FLAGS, *flags, logging, "-cp", path, main, *arguments]

    def fetch(self) -> bool:
        """Make jars and formatted storage where they are missing. True: something was done."""
        stamp, wanted = self.directory / "stamp", _digest(POM.read_bytes())
        if stamp.exists() and stamp.read_text() == wanted:
            return False
        for folder in ("lib", "lib.partial", "formatted"):
            shutil.rmtree(self.directory / folder, ignore_errors=True)
        for archive in self.directory.glob("*.jsa"):
            archive.unlink()
        self._copy_jars()
        self._format()
        stamp.write_text(wanted)
        return True

    def _copy_jars(self) -> None:
        partial = self.directory / "lib.partial"
        goal = "dependency:copy-dependencies"
        options = ["-DincludeScope=runtime", f"-DoutputDirectory={partial}"]
        done = _run(["mvn", "-q", "-B", "-f", str(POM), goal, *options])
        if done.returncode:
            raise Misconfigured(
                "Maven could not fetch Kafka's jars: check the network, or the mirror in "
                f"~/.m2/settings.xml, and try again. Maven says: {_complaint(done.stdout)}"
            )
        partial.rename(self.lib)

    def _format(self) -> None:
        partial = self.directory / "formatted.partial"
        shutil.rmtree(partial, ignore_errors=True)
        properties = write_properties(self.directory, data=partial, port=1, controller_port=2)
        arguments = ("format", "-t", CLUSTER_ID, "-c", str(properties))
        done = _run(self.java(main="kafka.tools.StorageTool", arguments=arguments))
        if done.returncode:
            raise Misconfigured(f"Kafka could not format its storage: {_complaint(done.stdout)}")
        partial.rename(self.formatted)


def write_properties(directory: Path, *, data: Path, port: int, controller_port: int) -> Path:
    """Fill in the template `server.properties`; answers the file's path."""
    directory.mkdir(parents=True, exist_ok=True)
    text = Template(PROPERTIES.read_text()).substitute(
        data=data, port=port, controller_port=controller_port
    )
    path = directory / PROPERTIES.name
    path.write_text(text)
    return path


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


def _complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line or "Exception" in line]
    return (errors or lines or ["nothing"])[0][:400]


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
