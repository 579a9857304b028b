"""A local broker that also has listeners with a login and TLS."""

import subprocess
from pathlib import Path

from pydantic import SecretStr

from deploy.local import ports
from deploy.local.broker import LocalBroker
from deploy.local.installation import KafkaInstallation
from shared.settings import KafkaSettings
from tests.certificates import authority, signed

USER, PASSWORD = "desk", "correct horse battery"
# Later lines of a properties file win over those of deploy/local/server.properties.
LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},\
LOGIN://127.0.0.1:{login},MUTUAL://127.0.0.1:{mutual}
advertised.listeners=PLAINTEXT://127.0.0.1:{plain},LOGIN://127.0.0.1:{login},\
MUTUAL://127.0.0.1:{mutual}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,LOGIN:SASL_SSL,MUTUAL:SSL
ssl.keystore.type=PEM
ssl.keystore.location={store}
ssl.truststore.type=PEM
ssl.truststore.location={authority}
listener.name.mutual.ssl.client.auth=required
listener.name.login.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512
listener.name.login.plain.sasl.jaas.config=\
org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
listener.name.login.scram-sha-512.sasl.jaas.config=\
org.apache.kafka.common.security.scram.ScramLoginModule required;
"""


class SecuredBroker(LocalBroker):
    """Its plain listener is for looking at it; `password` is the one of the next start."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory)
        self.password = PASSWORD
        self.login_port, self.mutual_port = ports.free_ports(2)
        directory.mkdir(parents=True, exist_ok=True)
        self.authority = authority(directory, "authority")
        self._own = signed(directory, "broker", self.authority)

    @property
    def login(self) -> KafkaSettings:
        """What a client with a name and a password is set to."""
        return KafkaSettings(
            bootstrap_servers=f"127.0.0.1:{self.login_port}",
            partitions=2,
            security_protocol="SASL_SSL",
            sasl_mechanism="PLAIN",
            sasl_username=USER,
            sasl_password=SecretStr(PASSWORD),
            ssl_ca_file=self.authority.file,
        )

    def know_by_scram(self, user: str, password: str) -> None:
        """Keep a user for SCRAM-SHA-512, who is stored in the log of the cluster."""
        change = f"SCRAM-SHA-512=[iterations=4096,password={password}]"
        arguments = (
            "--bootstrap-server", self.bootstrap_servers, "--alter", "--add-config", change,
            "--entity-type", "users", "--entity-name", user,
        )  # fmt: skip
        command = KafkaInstallation.default().java(
            main="kafka.admin.ConfigCommand", arguments=arguments
        )
        subprocess.run(command, check=True, capture_output=True)

    def _command(self) -> list[str]:
        command = super()._command()
        store = self.directory / "store.pem"
        store.write_text(self._own.key.read_text() + self._own.file.read_text())
        with Path(command[-1]).open("a") as properties:
            properties.write(
                LISTENERS.format(
                    plain=self.port,
                    controller=self._controller_port,
                    login=self.login_port,
                    mutual=self.mutual_port,
                    store=store,
                    authority=self.authority.file,
                    user=USER,
                    password=self.password,
                )
            )
        return command
