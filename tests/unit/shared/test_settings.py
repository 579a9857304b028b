"""How Kafka and Redis are entered: what cannot work is refused by name, and no secret is told."""

import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings

from shared import provisioning
from shared.settings import KafkaSettings, RedisSettings, faults
from tests.certificates import authority, signed

LOGIN = {
    "security_protocol": "SASL_PLAINTEXT",
    "sasl_mechanism": "SCRAM-SHA-512",
    "sasl_username": "desk",
    "sasl_password": SecretStr("hidden"),
}


def _refusal(settings: type[BaseSettings], given: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as refused:
        settings(**given)
    (sentence,) = faults(refused.value)
    assert "hidden" not in f"{sentence} {refused.value}"
    return sentence


def test_nothing_set_is_a_plain_connection() -> None:
    settings = KafkaSettings(bootstrap_servers="k:1")
    assert settings.connection() == {"bootstrap_servers": "k:1", "security_protocol": "PLAINTEXT"}
    assert not settings.secured


def test_a_login_is_handed_to_the_client_and_not_told() -> None:
    settings = KafkaSettings(bootstrap_servers="k:1", **LOGIN)  # type: ignore[arg-type]
    assert settings.connection() == {
        "bootstrap_servers": "k:1",
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "desk",
        "sasl_plain_password": "hidden",
    }
    assert "hidden" not in f"{settings!r} {settings} {settings.model_dump_json()}"


def test_certificates_are_checked_and_so_is_the_host(tmp_path: Path) -> None:
    ours = authority(tmp_path, "ours")
    own = signed(tmp_path, "own", ours)
    settings = KafkaSettings(
        security_protocol="SSL",
        ssl_ca_file=ours.file,
        ssl_cert_file=own.file,
        ssl_key_file=own.key,
    )
    context = settings.connection()["ssl_context"]
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    (only,) = context.get_ca_certs()
    assert only["subject"] == ((("commonName", "ours"),),)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"security_protocol": "TLS"}, "KAFKA_SECURITY_PROTOCOL"),
        ({**LOGIN, "sasl_mechanism": "GSSAPI"}, "KAFKA_SASL_MECHANISM"),
        ({**LOGIN, "sasl_mechanism": None}, "KAFKA_SASL_MECHANISM is not set"),
        ({**LOGIN, "sasl_username": None}, "KAFKA_SASL_USERNAME is not set"),
        ({**LOGIN, "sasl_password": None}, "KAFKA_SASL_PASSWORD is not set"),
        ({**LOGIN, "security_protocol": "SSL"}, "set it to SASL_SSL"),
        ({"sasl_password": SecretStr("hidden")}, "KAFKA_SASL_PASSWORD is set, but"),
        ({"ssl_ca_file": "ca.pem"}, "PLAINTEXT has no TLS: set it to SSL"),
        ({**LOGIN, "ssl_ca_file": "ca.pem"}, "set it to SASL_SSL"),
        ({"security_protocol": "SSL", "ssl_key_file": "own.key"}, "KAFKA_SSL_CERT_FILE is not set"),
        ({"security_protocol": "SSL", "ssl_ca_file": "missing"}, "KAFKA_SSL_CA_FILE: missing"),
        ({"security_protocol": "SSL", "ssl_ca_file": __file__}, "KAFKA_SSL_CA_FILE"),
        ({"security_protocol": "SSL", "ssl_cert_file": __file__}, "KAFKA_SSL_CERT_FILE"),
    ],
)
def test_what_cannot_work_is_refused_by_name(given: dict[str, Any], named: str) -> None:
    assert named in _refusal(KafkaSettings, given)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"url": "http://desk:hidden@r"}, "REDIS_URL must begin with redis://"),
        ({"url": "desk:hidden@r:6379"}, "REDIS_URL must begin with redis://"),
        ({"url": "redis://desk:hidden@r:6379/main"}, "REDIS_URL must end with /N"),
        ({"url": "redis://desk:hidden@r:66000/0"}, "REDIS_URL: its port is no number"),
        ({"url": "redis://desk:hidden/0"}, "REDIS_URL: its port is no number"),
        ({"url": "redis://desk:hidden@[r/0"}, "REDIS_URL: its host is none"),
        ({"url": "redis://desk:hidden@r\u2100/0"}, "REDIS_URL: its host is none"),
        ({"ssl_ca_file": "ca.pem"}, "let it begin with rediss://"),
        ({"url": "rediss://r", "ssl_ca_file": "missing"}, "REDIS_SSL_CA_FILE: missing"),
    ],
)
def test_what_is_no_address_of_redis_is_refused_without_its_password(
    given: dict[str, Any], named: str
) -> None:
    assert named in _refusal(RedisSettings, given)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://desk:hidden@r:6379/0", "redis://r:6379/0"),
        ("rediss://r:6379/?password=hidden", "rediss://r:6379/"),
        ("unix:///run/redis.sock?db=1", "unix:///run/redis.sock"),
    ],
)
def test_an_address_of_redis_is_shown_without_its_password(url: str, address: str) -> None:
    settings = RedisSettings(url=url)
    assert settings.address == address
    assert settings.connection() == {"url": url}
    assert "hidden" not in repr(settings)


def test_an_encrypted_key_is_refused_and_nobody_is_asked_for_its_password(tmp_path: Path) -> None:
    own = signed(tmp_path, "own", authority(tmp_path, "ours"))
    locked = tmp_path / "locked.key"
    subprocess.run(
        ["openssl", "pkey", "-aes256", "-passout", "pass:x", "-in", own.key, "-out", locked],  # noqa: S607
        check=True,
    )
    with pytest.raises(ValidationError, match="unencrypted"):
        KafkaSettings(security_protocol="SSL", ssl_cert_file=own.file, ssl_key_file=locked)


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SECURITY_PROTOCOL", "SASL_USERNAME", "SASL_PASSWORD", "SSL_CA_FILE"):
        monkeypatch.setenv(f"KAFKA_{name}", "")
    assert not KafkaSettings().secured


def test_a_command_says_what_is_wrong_and_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("KAFKA_SECURITY_PROTOCOL", "SASL_SSL")
    assert provisioning.main() == 2
    assert "KAFKA_SASL_MECHANISM is not set" in capsys.readouterr().err


def test_a_fault_of_no_settings_is_none_of_theirs() -> None:
    with pytest.raises(ValidationError) as refused:
        KafkaSettings.model_validate("text")
    assert faults(refused.value)
    assert not faults(ValidationError.from_exception_data("TicketReceived", []))
