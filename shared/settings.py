"""Settings that several services read. Only a `__main__` or a command builds them."""

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class KafkaSettings(BaseSettings):
    """KAFKA_*: where the broker is, how it is entered, and how topics are made."""

    # Empty is not set: what compose or a chart passes on of a variable that nobody gave.
    model_config = SettingsConfigDict(
        env_prefix="KAFKA_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    bootstrap_servers: str = "127.0.0.1:29092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    # The authorities that may have signed the broker's certificate; the system's without it.
    ssl_ca_file: Path | None = None
    # This client's own certificate, where the broker asks for one.
    ssl_cert_file: Path | None = None
    ssl_key_file: Path | None = None
    # Twice the largest number of workers ever wanted; keys and src_offset depend on it for life.
    partitions: int = Field(default=12, ge=1, le=1000)
    # 1 fits the embedded single broker; production sets 3, which makes min.insync.replicas 2.
    replication: int = Field(default=1, ge=1)
    max_record_bytes: int = 1_048_576

    @property
    def secured(self) -> bool:
        """Whether the broker may refuse this client, or this client the broker."""
        return self.security_protocol != "PLAINTEXT"

    def connection(self) -> dict[str, Any]:
        """What every client of aiokafka is made with; its other arguments say what it is for."""
        password = self.sasl_password
        given = {
            "bootstrap_servers": self.bootstrap_servers,
            "security_protocol": self.security_protocol,
            "sasl_mechanism": self.sasl_mechanism,
            "sasl_plain_username": self.sasl_username,
            "sasl_plain_password": None if password is None else password.get_secret_value(),
            "ssl_context": self._tls() if self.security_protocol.endswith("SSL") else None,
        }
        return {name: value for name, value in given.items() if value is not None}

    @model_validator(mode="after")
    def _can_connect(self) -> Self:
        protocol = f"KAFKA_SECURITY_PROTOCOL={self.security_protocol}"
        if self.security_protocol.startswith("SASL"):
            for name in ("sasl_mechanism", "sasl_username", "sasl_password"):
                if getattr(self, name) is None:
                    raise ValueError(f"{_variable(name)} is not set, and {protocol} needs it")
        else:
            self._refuse("sasl_", f"{protocol} has no login: set it to SASL_SSL, or unset this")
        if not self.security_protocol.endswith("SSL"):
            other = self.security_protocol.replace("PLAINTEXT", "SSL")
            self._refuse("ssl_", f"{protocol} has no TLS: set it to {other}, or unset this")
        if self.ssl_key_file and not self.ssl_cert_file:
            raise ValueError("KAFKA_SSL_CERT_FILE is not set: KAFKA_SSL_KEY_FILE is the key to it")
        self.connection()
        return self

    def _refuse(self, prefix: str, reason: str) -> None:
        for name in type(self).model_fields:
            if name.startswith(prefix) and getattr(self, name) is not None:
                raise ValueError(f"{_variable(name)} is set, but {reason}")

    def _tls(self) -> ssl.SSLContext:
        context = _trusting(self.ssl_ca_file, "KAFKA_SSL_CA_FILE")
        if self.ssl_cert_file:
            try:
                # Else OpenSSL would ask a terminal for the password of an encrypted key.
                context.load_cert_chain(self.ssl_cert_file, self.ssl_key_file, password="")
            except OSError as error:
                raise ValueError(
                    f"KAFKA_SSL_CERT_FILE, KAFKA_SSL_KEY_FILE: {self.ssl_cert_file} and "
                    f"{self.ssl_key_file or 'the key in it'} are no readable certificate in PEM "
                    f"with its key, unencrypted ({_reason(error)})"
                ) from None
        return context


class RedisSettings(BaseSettings):
    """REDIS_*: where the read side is, and how it is entered."""

    model_config = SettingsConfigDict(
        env_prefix="REDIS_", frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    url: str = Field(default="redis://127.0.0.1:26379/0", repr=False)
    # The authorities that may have signed Redis's certificate; the system's without it.
    ssl_ca_file: Path | None = None

    @property
    def address(self) -> str:
        """The URL as it may be shown: without a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"

    def connection(self) -> dict[str, Any]:
        """What every `Redis.from_url` is given; its other arguments say what it is for."""
        authorities = {} if self.ssl_ca_file is None else {"ssl_ca_certs": str(self.ssl_ca_file)}
        return {"url": self.url, **authorities}

    @model_validator(mode="after")
    def _can_connect(self) -> Self:
        try:
            address = urlsplit(self.url)
        except ValueError:
            # Here and below: the reason would tell a password that is not where it belongs.
            raise ValueError("REDIS_URL: its host is none") from None
        if address.scheme not in {"redis", "rediss", "unix"}:
            raise ValueError(
                "REDIS_URL must begin with redis://, with rediss:// for TLS, or with unix://"
            )
        database = address.path.strip("/")
        if address.scheme != "unix" and not (database.isdecimal() or not database):
            raise ValueError("REDIS_URL must end with /N, the number of a database")
        try:
            _ = address.port
        except ValueError:
            raise ValueError("REDIS_URL: its port is no number from 0 to 65535") from None
        if self.ssl_ca_file is not None and address.scheme != "rediss":
            raise ValueError(
                "REDIS_SSL_CA_FILE is set, but REDIS_URL has no TLS: let it begin with rediss://, "
                "or unset this"
            )
        if self.ssl_ca_file is not None:
            _trusting(self.ssl_ca_file, "REDIS_SSL_CA_FILE")
        return self


class ServiceSettings(BaseSettings):
    """What every service has: an address for HTTP and a log level."""

    host: str = "127.0.0.1"
    port: int = Field(ge=0, le=65535)
    log_level: str = "INFO"


def faults(error: ValidationError) -> list[str]:
    """What is wrong with which variable, a line each, without its value, which may be secret.

    Nothing where the error is none of settings.
    """
    found = [each for each in _subclasses(BaseSettings) if each.__name__ == error.title]
    prefix = found[0].model_config.get("env_prefix", "") if found else ""
    return [
        f"{error.title}: "
        + "".join(f"{prefix}{part}".upper() + ": " for part in fault["loc"][:1])
        + fault["msg"].removeprefix("Value error, ")
        for fault in error.errors(include_url=False, include_input=False)
        if found
    ]


def _subclasses(kind: type[BaseSettings]) -> Iterator[type[BaseSettings]]:
    for each in kind.__subclasses__():
        yield each
        yield from _subclasses(each)


def _trusting(authorities: Path | None, variable: str) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=authorities)
    except OSError as error:
        raise ValueError(
            f"{variable}: {authorities} is no readable file of certificates in PEM "
            f"({_reason(error)})"
        ) from None


def _variable(name: str) -> str:
    return f"KAFKA_{name}".upper()


def _reason(error: OSError) -> str:
    return error.strerror or str(error)
