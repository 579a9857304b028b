"""Compose file and Dockerfile without an engine: schema, linter, and that they fit together."""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import grimp
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
COMPOSE = CHECKOUT / "docker-compose.yml"
SERVICES = ("ingest", "classifier", "forecaster", "gateway")
# apache/kafka drops all of its own defaults as soon as one variable is set.
NEEDED_BY_THE_IMAGE = {
    "CLUSTER_ID", "KAFKA_NODE_ID", "KAFKA_PROCESS_ROLES", "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS", "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_CONTROLLER_LISTENER_NAMES", "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_INTER_BROKER_LISTENER_NAME", "KAFKA_LOG_DIRS", "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR",
    "KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR", "KAFKA_TRANSACTION_STATE_LOG_MIN_ISR",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR",
    "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR",
}  # fmt: skip
# Imported only where somebody installed them: `deskstream[onnx]`, yardsticks of a backtest, and
# frames for river's mini-batches, which no service uses.
OPTIONAL = {"onnxruntime", "tokenizers", "statsforecast", "pandas"}


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
    return content


def _tool(name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).parent / name), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_compose_file_fits_the_specification() -> None:
    done = _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_schema_check_sees_a_typing_error(tmp_path: Path) -> None:
    broken = tmp_path / COMPOSE.name
    broken.write_text(COMPOSE.read_text().replace("restart: on-failure", "restrat: on-failure"))
    done = _tool("check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(broken))
    assert done.returncode == 1
    assert "restrat" in done.stdout


def test_dockerfile_passes_its_linter() -> None:
    done = _tool("hadolint", str(CHECKOUT / "Dockerfile"))
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_waits_for_stores_and_topics(compose: dict[str, Any]) -> None:
    for name in SERVICES:
        service = compose["services"][name]
        conditions = {k: v["condition"] for k, v in service["depends_on"].items()}
        assert conditions == {
            "topics": "service_completed_successfully",
            "kafka": "service_healthy",
            "valkey": "service_healthy",
        }
        assert service["build"]["args"]["SERVICE"] == name
        assert service["restart"] == "unless-stopped"


def test_the_semantic_worker_is_the_classifier_s_image_on_a_port_of_its_own(
    compose: dict[str, Any],
) -> None:
    classifier, semantic = (compose["services"][name] for name in ("classifier", "semantic"))
    for shared_key in ("image", "build", "volumes", "depends_on", "restart"):
        assert semantic[shared_key] == classifier[shared_key]
    assert semantic["command"][1:] == ["-m", "services.classifier", "semantic"]
    port = semantic["environment"]["HEALTH_PORT"]
    assert semantic["ports"] == [f"127.0.0.1:{port}:{port}"]
    gateway = compose["services"]["gateway"]["environment"]
    assert gateway["GATEWAY_SEMANTIC_URL"] == f"http://semantic:{port}"


def test_the_broker_gets_every_variable_its_image_needs(compose: dict[str, Any]) -> None:
    assert compose["services"]["kafka"]["environment"].keys() >= NEEDED_BY_THE_IMAGE


def test_containers_and_the_local_broker_are_the_same_kafka(compose: dict[str, Any]) -> None:
    pom = (CHECKOUT / "deploy" / "local" / "pom.xml").read_text()
    pinned = re.search(r"<artifactId>kafka_2.13</artifactId>\s*<version>([\d.]+)<", pom)
    assert pinned
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{pinned[1]}"


def test_every_image_is_pinned_and_every_volume_named(compose: dict[str, Any]) -> None:
    images = [service["image"] for service in compose["services"].values()]
    assert [image for image in images if re.search(r":(latest)?$", image) or ":" not in image] == []
    mounted = {
        volume.partition(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert mounted == compose["volumes"].keys()


def test_the_image_is_not_root_and_takes_signals() -> None:
    dockerfile = (CHECKOUT / "Dockerfile").read_text()
    final = dockerfile.rpartition("\nFROM ")[2]
    assert re.search(r"^USER 10001$", final, re.MULTILINE)
    assert '"exec python -m services.$SERVICE"' in final
    assert "HEALTHCHECK" in final


@pytest.fixture(scope="module")
def imports() -> grimp.ImportGraph:
    return grimp.build_graph("services", "shared", include_external_packages=True)


@pytest.mark.parametrize("service", [*SERVICES, "simulator"])
def test_an_image_holds_whatever_its_service_imports(
    imports: grimp.ImportGraph, service: str
) -> None:
    """An image gets the base dependencies and the service's extra: here everything is there."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]
    held = _with_theirs(project["dependencies"] + project["optional-dependencies"][service])
    imported = {
        name.partition(".")[0]
        for name in imports.find_upstream_modules(f"services.{service}", as_package=True)
    } - {"services", "shared", *sys.stdlib_module_names, *OPTIONAL}
    owners = packages_distributions()
    missing = {
        name for name in imported if held.isdisjoint(canonicalize_name(o) for o in owners[name])
    }
    assert "fastapi" in imported or service == "simulator"
    assert missing == set()


def _with_theirs(requirements: Iterable[str]) -> set[str]:
    """Names of these distributions and of all that comes with them."""
    found: set[str] = set()
    waiting = [Requirement(line) for line in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name not in found and name not in OPTIONAL:
            found.add(name)
            needed = map(Requirement, distribution(name).requires or ())
            waiting += [
                need
                for need in needed
                if need.marker is None
                or any(need.marker.evaluate({"extra": e}) for e in (wanted.extras or {""}))
            ]
    return found
