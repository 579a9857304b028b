"""The network policies let through what the flow needs, and nothing else."""

from itertools import product
from typing import Any

import pytest

from tests.architecture.chart.helm import Document, Manifests

pytestmark = pytest.mark.timeout(1800)

# Who calls whom over HTTP; what the environment and the commands say, see docs/architecture.md.
CALLS = {
    ("gateway", "ingest"), ("gateway", "classifier"), ("gateway", "semantic"),
    ("gateway", "forecaster"), ("classifier", "ingest"), ("semantic", "ingest"),
    ("retrain", "ingest"), ("test", "gateway"),
}  # fmt: skip
SIMULATED = {("simulator", "ingest"), ("simulator", "gateway")}
READS_KAFKA = {"ingest", "classifier", "semantic", "forecaster", "retrain", "topics"}
READS_REDIS = {"ingest", "forecaster", "gateway"}


def _matches(selector: Document, labels: dict[str, str]) -> bool:
    if not selector.get("matchLabels", {}).items() <= labels.items():
        return False
    return all(labels.get(e["key"]) in e["values"] for e in selector.get("matchExpressions", []))


def _rules(manifests: Manifests, component: str, direction: str) -> list[Any]:
    """Those of all policies that select the component's pods."""
    labels = manifests.pods()[component]["metadata"]["labels"]
    return [
        rule
        for policy in manifests.all
        if policy["kind"] == "NetworkPolicy" and _matches(policy["spec"]["podSelector"], labels)
        for rule in policy["spec"].get(direction, [])
    ]


def _lets(manifests: Manifests, rules: list[Any], other: str, ports: set[object]) -> bool:
    """Does a rule name the pods of `other`, on one of these ports?"""
    labels = manifests.pods()[other]["metadata"]["labels"]
    return any(
        _matches(peer["podSelector"], labels)
        for rule in rules
        if ports & {each["port"] for each in rule["ports"]}
        for peer in (*rule.get("from", []), *rule.get("to", []))
        if "podSelector" in peer
    )


def _addressed(manifests: Manifests) -> set[tuple[str, str]]:
    """Who is told the address of whom, by its environment or its command."""
    services = {e["metadata"]["name"]: name for name, e in manifests.of("Service").items()}
    said: set[tuple[str, str]] = set()
    for component, container in manifests.containers():
        words = [e.get("value", "") for e in container.get("env", [])] + container.get(
            "command", []
        )
        said |= {
            (component, service)
            for word, (host, service) in product(words, services.items())
            if f"//{host}:" in word
        }
    return said


def test_every_pod_is_denied_everything_else(defaults: Manifests) -> None:
    [rest] = [
        e
        for e in defaults.all
        if e["kind"] == "NetworkPolicy" and e["metadata"]["name"] == "desk-deskstream"
    ]
    for pod in defaults.pods().values():
        assert _matches(rest["spec"]["podSelector"], pod["metadata"]["labels"])
    assert rest["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in rest["spec"]


def test_exactly_those_who_call_are_let_through_on_both_sides(defaults: Manifests) -> None:
    assert _addressed(defaults) == CALLS
    services = defaults.of("Service")
    for caller, callee in product(defaults.pods(), services):
        port = services[callee]["spec"]["ports"][0]["port"]
        leaves = _lets(defaults, _rules(defaults, caller, "egress"), callee, {port})
        enters = _lets(defaults, _rules(defaults, callee, "ingress"), caller, {"http", port})
        assert (leaves, enters) == ((caller, callee) in CALLS,) * 2, (caller, callee)


def test_the_simulator_posts_and_follows(smallest: Manifests) -> None:
    assert {pair for pair in _addressed(smallest) if pair[0] == "simulator"} == SIMULATED
    assert "NetworkPolicy" not in {each["kind"] for each in smallest.all}


def test_stores_are_reached_by_those_who_know_their_address(defaults: Manifests) -> None:
    for component in defaults.pods():
        rules = _rules(defaults, component, "egress")
        free = {port["port"] for rule in rules if "to" not in rule for port in rule["ports"]}
        wanted = {53}
        if component in READS_KAFKA:
            wanted |= {9092, 9094}
        if component in READS_REDIS:
            wanted |= {6380}
        assert free == wanted, component


def test_given_ports_and_peers_are_taken(everything: Manifests) -> None:
    egress = _rules(everything, "forecaster", "egress")
    free = {port["port"] for rule in egress if "to" not in rule for port in rule["ports"]}
    assert free == {53, 9092, 9093, 6379}
    peers = [peer for rule in _rules(everything, "ingest", "ingress") for peer in rule["from"]]
    named = [
        each["namespaceSelector"]["matchLabels"] for each in peers if "namespaceSelector" in each
    ]
    assert named == [{"kubernetes.io/metadata.name": "monitoring"}, {"helpdesk": "yes"}]


def test_only_ingest_and_gateway_are_open_to_others(defaults: Manifests) -> None:
    opened = {
        component
        for component in defaults.of("Service")
        if any("from" not in rule for rule in _rules(defaults, component, "ingress"))
    }
    assert opened == {"ingest", "gateway"}
