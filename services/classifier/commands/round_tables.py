"""Rounds of retraining as tables."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from rich.markup import escape
from rich.table import Column, Table

from services.classifier.adapters.artifacts import Manifest

LATEST = 20


def round_table(found: Mapping[str, Any]) -> Table:
    """One round: every head's figures, champion beside challenger, and what came of it."""
    title = f"{found['family']}: {found['outcome']}"
    if found["version"]:
        title += f" as {found['version']}"
    learned = ", ".join(f"{count:,} {kind}" for kind, count in found["examples"].items())
    table = Table(
        "head", "figure", "champion", "challenger", "difference (95 %)", "verdict",
        title=title,
        caption=f"champion {found['champion']}; learned: {learned or 'nothing'}; "
        f"{found['cpu_seconds']:.1f} CPU s, peak {found['peak_rss_mb']:.0f} MB",
    )  # fmt: skip
    for name, head in found["heads"].items():
        verdict = "passes" if head["verdict"]["promoted"] else "refused"
        for each in head["verdict"]["differences"]:
            table.add_row(
                name,
                each["figure"],
                f"{each['champion']:.4f}",
                f"{each['challenger']:.4f}",
                f"{each['low']:+.4f} to {each['high']:+.4f}",
                verdict,
            )
        table.add_row(
            name,
            "held out",
            "",
            f"{head['held_out']:,}, {head['decided']:,} of them decided by humans",
            f"{head['corrected_share']:.0%} of wrong labels were corrected",
            f"ECE {head['ece']:.3f}, T {head['temperature']:.2f}",
        )
    table.add_row("", "", "", "", "", escape(found["reason"]))
    return table


def list_table(
    saved: Sequence[Manifest], current: str | None, rounds: Sequence[Mapping[str, Any]]
) -> tuple[Table, Table]:
    """Saved models, and the latest rounds with the counts of all that are known."""
    models = Table(
        Column("version", overflow="fold", min_width=29),
        "family",
        "learned before",
        "accuracy",
        "champion's",
        "",
        title="saved models",
    )
    for each in saved:
        figures = each.figures
        models.add_row(
            each.version,
            each.name,
            f"offset {each.log_offset}" if each.log_offset else "no correction",
            _figure(figures.get("topic_accuracy")),
            _figure(figures.get("topic_accuracy_champion")),
            "begins the fold" if each.version == current else "",
        )
    outcomes = Counter(found["outcome"] for found in rounds)
    told = ", ".join(f"{number} {outcome}" for outcome, number in sorted(outcomes.items()))
    latest = Table("at", "family", "outcome", "why", title=f"rounds: {told or 'none yet'}")
    for found in rounds[-LATEST:]:
        latest.add_row(found["at"], found["family"], found["outcome"], escape(found["reason"]))
    return models, latest


def _figure(value: float | int | str | None) -> str:
    return f"{value:.4f}" if isinstance(value, float) else "-"
