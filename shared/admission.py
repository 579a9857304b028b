"""Whether the broker lets this process in.

aiokafka's client logs why a broker cannot be used and says only that it could not connect, so a
wrong password looks like a broker that is away. Here one connection is made to hear the reason.
"""

import asyncio
import ssl
from collections.abc import Iterator
from typing import Final

from aiokafka.client import AIOKafkaClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    UnsupportedSaslMechanismError,
)

from shared.errors import Misconfigured
from shared.settings import KafkaSettings

ANSWER_MS: Final = 5_000
# Between looks whether a broker can still be reached.
LOOK_SECONDS: Final = 15.0
# OpenSSL's codes of a certificate that is good, but of another host or address.
OTHER_HOST: Final = (62, 64)


async def admit(kafka: KafkaSettings) -> None:
    """Raises Misconfigured where the broker refuses this client, or its certificate is no good."""
    if reason := await refusal(kafka):
        raise Misconfigured(reason)


async def refusal(kafka: KafkaSettings) -> str | None:
    """What is refused, in one sentence; None where nothing is, or where no broker answers."""
    if not kafka.secured:
        return None
    connection = kafka.connection()
    for host, port, _ in collect_hosts(connection.pop("bootstrap_servers")):
        try:
            made = await create_conn(host, port, request_timeout_ms=ANSWER_MS, **connection)
        except (KafkaError, OSError, TimeoutError) as error:
            if reason := _sentence(error, f"Kafka at {host}:{port}", kafka):
                return reason
        else:
            await made.close()
            return None
    return None


async def expelled(client: AIOKafkaClient, kafka: KafkaSettings) -> str:
    """Waits until `client` reaches no broker any more and one of them refuses it; the reason.

    A password that was changed cannot come right in this process, unlike a broker that is away.
    """
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        if not await client.force_metadata_update() and (reason := await refusal(kafka)):
            return reason


def _sentence(error: BaseException, broker: str, kafka: KafkaSettings) -> str | None:
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLError):
            return _of_certificates(cause, broker)
        if isinstance(cause, SaslAuthenticationFailed):
            return (
                f"{broker} refuses the login of {kafka.sasl_username} ({_words(cause)}): look at "
                "KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM"
            )
        if isinstance(cause, UnsupportedSaslMechanismError):
            return f"{broker} does not offer KAFKA_SASL_MECHANISM={kafka.sasl_mechanism}"
        if isinstance(cause, IllegalSaslStateError):
            return f"{broker} has no login: look at KAFKA_SECURITY_PROTOCOL"
    return None


def _of_certificates(error: ssl.SSLError, broker: str) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        what = f"the certificate of {broker} is not accepted ({error.verify_message})"
        if error.verify_code in OTHER_HOST:
            return f"{what}: KAFKA_BOOTSTRAP_SERVERS has to name the broker as it does"
        return f"{what}: KAFKA_SSL_CA_FILE names the authorities that may sign it"
    # Other errors of TLS are also those of a broker that is going away.
    if "ALERT" not in (error.reason or ""):
        return None
    return (
        f"{broker} refuses the TLS of this client ({error.reason}): look at "
        "KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE"
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _words(error: BaseException) -> str:
    # Not str(error), which puts the class and its number before what the broker says.
    return str(error.args[0]) if error.args and error.args[0] else type(error).__name__
