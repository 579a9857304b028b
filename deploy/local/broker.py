"""One real Kafka broker in KRaft mode as a child process, for demo, tests and benches."""

import shutil
import socket
import struct
import tempfile
from pathlib import Path

from deploy.local import ports
from deploy.local.installation import KafkaInstallation, write_properties
from deploy.local.server import LocalServer
from deploy.local.workspace import exclusive


class LocalBroker(LocalServer):
    """A broker on 127.0.0.1, up in a second, in four after a SIGKILL."""

    name = "kafka"
    port_setting = "KAFKA_PORT"

    def __init__(
        self,
        directory: Path,
        *,
        port: int | None = None,
        log: Path | None = None,
        installation: KafkaInstallation | None = None,
        archive: Path | None = None,
    ) -> None:
        """`archive`: write the class-data archive there at a clean end, instead of using it."""
        super().__init__(directory, port=port, log=log)
        self._controller_port = ports.free_ports(1)[0]
        self._installation = installation or KafkaInstallation.default()
        self._archive = archive

    @property
    def bootstrap_servers(self) -> str:
        return f"{ports.LOOPBACK}:{self.port}"

    def answers(self) -> bool:
        # An open port is not enough: the broker serves clients only after it has registered.
        return answers_metadata(self.port)

    def _command(self) -> list[str]:
        if self._archive is None:
            prepare(self._installation)
            flags = [f"-XX:SharedArchiveFile={self._installation.archive}", "-Xshare:auto"]
        else:
            flags = [f"-XX:ArchiveClassesAtExit={self._archive}"]
        data = self.directory / "data"
        if not data.exists():
            shutil.copytree(self._installation.formatted, data)
        properties = write_properties(
            self.directory, data=data, port=self.port, controller_port=self._controller_port
        )
        flags.append("-Xlog:cds=off")
        return self._installation.java(*flags, main="kafka.Kafka", arguments=(str(properties),))


def prepare(installation: KafkaInstallation) -> bool:
    """Fetch Kafka and write the class-data archive, once. True: something was done."""
    with exclusive(installation.directory / "lock"):
        fetched = installation.fetch()
        archive = installation.archive
        if archive.exists():
            return fetched
        partial = archive.with_suffix(".partial")
        with tempfile.TemporaryDirectory(prefix="deskstream-kafka-") as folder:
            warm_up = LocalBroker(Path(folder), installation=installation, archive=partial)
            warm_up.start()
            # The JVM writes the archive at a clean end, of what a broker loads to its first answer.
            warm_up.stop()
        if partial.exists():
            partial.rename(archive)
        return True


def answers_metadata(port: int, seconds: float = 2.0) -> bool:
    """Does a broker answer a metadata request and know itself and its controller?

    Written to the wire by hand (Kafka protocol guide, Metadata v1, no topics), as it is asked
    from threads with and without an event loop.
    """
    request = struct.pack(">hhihi", 3, 1, 1, -1, 0)
    try:
        with socket.create_connection((ports.LOOPBACK, port), timeout=seconds) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as stream:
                (size,) = struct.unpack(">i", stream.read(4))
                answer = stream.read(size)
    except (OSError, struct.error):
        return False
    # correlation id, brokers, for each: id, host, port, rack; then the controller's id.
    (brokers,) = struct.unpack_from(">i", answer, 4)
    position = 8
    for _ in range(brokers):
        (host,) = struct.unpack_from(">h", answer, position + 4)
        (rack,) = struct.unpack_from(">h", answer, position + 10 + host)
        position += 12 + host + max(rack, 0)
    (controller,) = struct.unpack_from(">i", answer, position)
    return brokers > 0 and bool(controller >= 0)
