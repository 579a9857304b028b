"""What a local run reads from its environment, and the ports it will open."""

import pytest

from deploy.local.settings import LocalSettings
from shared.errors import Misconfigured


def test_stores_of_ones_own_open_no_port() -> None:
    own = LocalSettings(kafka_bootstrap_servers="k:9092", redis_url="redis://r", gateway_port=1)
    services = ("GATEWAY", "INGEST", "CLASSIFIER", "FORECASTER", "SEMANTIC")
    assert own.ports.keys() == {f"{name}_PORT" for name in services}
    assert own.gateway == "http://127.0.0.1:1"


def test_without_them_their_ports_are_opened_too() -> None:
    settings = LocalSettings(kafka_bootstrap_servers=None, redis_url=None)
    assert {"KAFKA_PORT", "REDIS_PORT"} <= settings.ports.keys()


def test_an_impossible_value_names_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEMO_SECONDS", "soon")
    with pytest.raises(Misconfigured, match="DEMO_SECONDS=soon"):
        LocalSettings.from_environment()
