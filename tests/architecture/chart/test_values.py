"""values.yaml, its schema and the services' settings say the same."""

import json
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from deploy.local.workspace import CHECKOUT
from tests.architecture.chart.helm import CHART
from tests.architecture.chart.variables import OWN, RESERVED, names

SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    return found


def _described(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    for name, each in schema.get("properties", {}).items():
        found = _resolved(each)
        yield f"{path}{name}", found
        yield from _described(found, f"{path}{name}.")


def test_every_value_is_described_and_closed() -> None:
    for path, schema in _described(SCHEMA):
        assert schema.get("description"), path
        if "properties" in schema:
            assert schema["additionalProperties"] is False, path


def test_every_value_has_a_default_and_every_default_a_description() -> None:
    def compare(values: dict[str, Any], schema: dict[str, Any], path: str) -> None:
        described = schema.get("properties")
        if described is None or path.endswith("resources."):
            return
        # Helm adds `global` itself.
        assert values.keys() == described.keys() - {"global"}, path
        for name, value in values.items():
            if isinstance(value, dict):
                compare(value, _resolved(described[name]), f"{path}{name}.")

    compare(VALUES, SCHEMA, "")


@pytest.mark.parametrize("service", OWN)
def test_env_takes_the_settings_of_its_service_and_no_others(service: str) -> None:
    taken = SCHEMA["properties"][service]["properties"]["env"]["propertyNames"]["enum"]
    assert taken == sorted(names(*OWN[service]) - RESERVED)


def test_every_reserved_variable_is_still_a_setting() -> None:
    assert {name for classes in OWN.values() for name in names(*classes)} >= RESERVED


def test_the_chart_is_of_this_version_of_the_product() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == project["version"]
