"""The chart renders, Kubernetes' own schemas take it, and what cannot work is refused in words."""

import copy
from typing import Any

import pytest
from kubernetes_validate import ValidationError, validate

from tests.architecture.chart.helm import CHART, Document, Helm, Manifests
from tests.architecture.chart.sets import EVERYTHING, NEEDED, SMALLEST

pytestmark = pytest.mark.timeout(1800)  # the first of all builds Helm

# The oldest release that Chart.yaml allows, and the newest that the validator knows.
OLDEST, NEWEST = "1.27", "1.37"
# Their schemas belong to the operators.
OPERATED = {"ServiceMonitor", "PrometheusRule", "ScaledObject", "TriggerAuthentication"}


def _schema_faults(manifests: Manifests, release: str) -> list[str]:
    faults = []
    for document in manifests.all:
        if document["kind"] in OPERATED:
            continue
        try:
            validate(document, release, strict=True)
        except ValidationError as fault:
            faults.append(f"{document['kind']} {document['metadata']['name']}: {fault.message}")
    return faults


@pytest.mark.parametrize("values", [NEEDED, EVERYTHING, SMALLEST], ids=["needed", "all", "small"])
def test_strict_lint_passes(helm: Helm, values: dict[str, Any]) -> None:
    done = helm.run("lint", "--strict", str(CHART), "-f", str(helm.file(values)))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "release"),
    [("everything", OLDEST), ("everything", NEWEST), ("defaults", NEWEST), ("smallest", NEWEST)],
)
def test_kubernetes_takes_every_document(
    request: pytest.FixtureRequest, name: str, release: str
) -> None:
    manifests: Manifests = request.getfixturevalue(name)
    assert len(manifests.all) > 10
    assert _schema_faults(manifests, release) == []


def test_the_schemas_see_a_misspelt_field(defaults: Manifests) -> None:
    broken = Manifests(defaults.text.replace("readinessProbe:", "readynessProbe:"))
    broken.all = [broken.of("Deployment")["gateway"]]
    [fault] = _schema_faults(broken, NEWEST)
    assert "readynessProbe" in fault


def test_names_and_kinds_are_unique(everything: Manifests) -> None:
    named = [(each["kind"], each["metadata"]["name"]) for each in everything.all]
    assert len(set(named)) == len(named)


def _with(path: str, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(NEEDED)
    *folders, last = path.split(".")
    place = values
    for each in folders:
        place = place.setdefault(each, {})
    place[last] = value
    return values


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        ("kafka.bootstrapServer", "kafka:9092", "bootstrapServer"),
        ("kafka.bootstrapServers", "kafka", "bootstrapServers"),
        ("kafka.security.protocol", "TLS", "protocol"),
        ("kafka.security.password", "secret", "password"),
        ("ingest.replica", 3, "replica"),
        ("ingest.replicas", "three", "replicas"),
        ("ingest.env.INGEST_MAX_EVENT", 1, "INGEST_MAX_EVENT"),
        ("gateway.env.KAFKA_PARTITIONS", 24, "KAFKA_PARTITIONS"),
        ("classifier.resources.limit", {}, "limit"),
        ("gateway.ingress.hostname", "desk.example.org", "hostname"),
        ("simulater.enabled", True, "simulater"),
    ],
)
def test_a_typing_error_in_the_values_is_refused_by_name(
    helm: Helm, path: str, value: Any, named: str
) -> None:
    done = helm.template(_with(path, value))
    assert done.returncode == 1
    assert named in done.stderr


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({}, "kafka.bootstrapServers is needed"),
        ({"kafka": NEEDED["kafka"]}, "redis.url or redis.existingSecret is needed"),
        (_with("classifier.replicas", 13), "more workers than kafka.partitions (12)"),
        (_with("semantic.replicas", 13), "more workers than kafka.partitions (12)"),
        (_with("forecaster.replicas", 13), "more workers than kafka.partitions (12)"),
        (
            _with("classifier.autoscaling", {"enabled": True, "maxReplicas": 13}),
            "more workers than kafka.partitions (12)",
        ),
        (_with("kafka.security.protocol", "SASL_SSL"), "kafka.security.mechanism and"),
        (_with("kafka.security.existingSecret", "login"), "PLAINTEXT has no login"),
        (_with("kafka.security.caSecret", "authority"), "PLAINTEXT has no TLS"),
        (
            {**NEEDED, "redis": {"url": "redis://valkey", "caSecret": "authority"}},
            "redis.url has no TLS",
        ),
        (_with("models.persistent", value=False), "retrain.enabled needs models.persistent"),
        (_with("gateway.ingress.enabled", value=True), "gateway.ingress.host is needed"),
    ],
)
def test_what_cannot_work_is_refused_with_a_sentence(
    helm: Helm, values: Document, sentence: str
) -> None:
    done = helm.template(values)
    assert done.returncode == 1
    assert sentence in done.stderr
