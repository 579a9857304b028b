"""The chart's alarms are those of docs/operations.md, and Prometheus can read them."""

import re
from typing import Any, NamedTuple

import promql_parser
import pytest

from deploy.local.workspace import CHECKOUT
from shared import metrics
from tests.architecture.chart.helm import NAMESPACE, Manifests
from tests.architecture.chart.sets import EVERYTHING

pytestmark = pytest.mark.timeout(1800)

OPERATIONS = (CHECKOUT / "docs" / "operations.md").read_text()
ROW = re.compile(
    r"^\| (?P<alarm>[^|`]+) \| (?P<rule>(?:[^|]|\\\|)+) \| (?P<see>.+) \|$", re.MULTILINE
)
RULE = re.compile(r"^`(?P<expr>[^`]+)`(?: for (?P<number>\d+) (?P<unit>min|h))?")
LINK = re.compile(r"\(#([\w-]+)\)")
# Their rows ask a shell, or a process that Kubernetes runs in another way.
ELSEWHERE = {"not ready", "retraining fails", "disk"}
# The first two must never fire, says the text above the table.
PAGED = ("gap", "mismatch")
HERE = f'namespace="{NAMESPACE}"'


class Alarm(NamedTuple):
    """One row, as far as Prometheus is concerned."""

    expr: str
    lasting: str | None
    see: str | None


def _name(row: str) -> str:
    return "Deskstream" + "".join(word[:1].upper() + word[1:] for word in row.split())


def _table() -> dict[str, Alarm]:
    section = OPERATIONS[OPERATIONS.index("## What to watch") : OPERATIONS.index("### Metrics")]
    found = {}
    for row in list(ROW.finditer(section))[1:]:
        rule, link = RULE.match(row["rule"]), LINK.search(row["see"])
        if row["alarm"] in ELSEWHERE:
            continue
        assert rule, f"no expression in the row {row['alarm']!r}"
        lasting = f"{rule['number']}{rule['unit'][0]}" if rule["number"] else None
        expr = rule["expr"].replace("\\|", "|")
        found[_name(row["alarm"])] = Alarm(expr, lasting, link[1] if link else None)
    return found


def _groups(manifests: Manifests) -> dict[str, dict[str, Any]]:
    groups = manifests.of("PrometheusRule")[""]["spec"]["groups"]
    return {group["name"]: {rule["alert"]: rule for rule in group["rules"]} for group in groups}


def _everywhere(expr: str) -> str:
    """Without the namespace that the chart adds to every selector."""
    return expr.replace(f"{{{HERE}}}", "").replace(f"{{{HERE},", "{")


def test_the_alarms_are_those_of_the_table(everything: Manifests) -> None:
    partitions = EVERYTHING["kafka"]["partitions"]
    rules = _groups(everything)["table"]
    written = _table()
    assert len(written) > 15
    runbook = EVERYTHING["monitoring"]["runbook"]
    assert {
        name: Alarm(
            _everywhere(rule["expr"]).replace(f"< {partitions}", "< 12"),
            rule.get("for"),
            rule["annotations"].get("runbook_url", "").removeprefix(f"{runbook}#") or None,
        )
        for name, rule in rules.items()
    } == written


def test_what_kubernetes_must_ask_otherwise_is_there_too(everything: Manifests) -> None:
    assert _groups(everything)["cluster"].keys() == {_name(row) for row in ELSEWHERE}
    for row in ELSEWHERE:
        assert f"| {row} |" in OPERATIONS


def test_links_lead_to_a_section(everything: Manifests) -> None:
    headings = re.findall(r"^#+ (.+)$", OPERATIONS, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", each).lower().replace(" ", "-") for each in headings}
    for rules in _groups(everything).values():
        for rule in rules.values():
            link = rule["annotations"].get("runbook_url")
            assert link is None or link.partition("#")[2] in anchors


def test_those_that_must_never_fire_are_paged(everything: Manifests) -> None:
    rules = _groups(everything)["table"]
    paged = [name for name, rule in rules.items() if rule["labels"]["severity"] == "critical"]
    assert paged == [_name(row) for row in PAGED]


def test_prometheus_reads_every_expression(everything: Manifests) -> None:
    for rules in _groups(everything).values():
        for rule in rules.values():
            promql_parser.parse(rule["expr"])
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse("sum by (topic (deskstream_intake_lag_records) > 10000")


def test_every_metric_is_one_that_a_service_has_and_is_of_this_namespace(
    everything: Manifests,
) -> None:
    known = {
        name
        for each in vars(metrics).values()
        if hasattr(each, "_name")
        for name in (each._name, f"{each._name}_total", f"{each._name}_bucket")
    }
    for rule in _groups(everything)["table"].values():
        selectors = re.findall(r"\b(deskstream_\w+|up)(\{[^}]*\})?", rule["expr"])
        assert selectors
        for metric, labels in selectors:
            assert metric == "up" or metric in known
            assert HERE in labels
