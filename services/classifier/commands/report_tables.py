"""An evaluation as tables for the terminal, the majority class beside every accuracy."""

import math
from collections.abc import Iterator

from rich.table import Table

from services.classifier.evaluation.adaptation import Adaptation
from services.classifier.evaluation.emergence import RadarFigures
from services.classifier.evaluation.judging import Judgement
from services.classifier.evaluation.stream import StreamFigures


def tables(
    judgement: Judgement, stream: StreamFigures | None, adaptation: Adaptation | None
) -> Iterator[Table]:
    """Figures, confusions, then what `--stream` and `--adapt` showed."""
    yield _figures(judgement)
    if judgement.worst_pairs:
        yield _confusions(judgement)
    if stream:
        yield _stream(stream)
        if stream.late_curve:
            yield _late(stream)
    if adaptation:
        yield _adaptation(adaptation)


def _share(value: float | None) -> str:
    return "-" if value is None or math.isnan(value) else f"{value:.4f}"


def _figures(found: Judgement) -> Table:
    table = Table("figure", "value", "majority class", title=f"{found.test_rows:,} test tickets")
    table.add_row("accuracy", _share(found.accuracy), _share(found.majority_accuracy))
    for name, value in (
        (f"macro-F1 over {found.classes} classes", found.macro_f1),
        ("expected calibration error", found.ece),
        ("coverage at precision .95", found.coverage_at_precision_95),
        ("out-of-scope AUROC", found.oos_auroc),
        ("share sent to the encoder", found.semantic_share),
    ):
        table.add_row(name, _share(value), "")
    for name, text in (
        ("tickets per CPU-second, batches of 512", f"{found.tickets_per_cpu_second:,.0f}"),
        ("tickets per CPU-second, batches of 32", f"{found.tickets_per_cpu_second_batch32:,.0f}"),
        ("one ticket alone, us of CPU", f"{found.single_ticket_us:,.1f}"),
        ("fit, CPU seconds", f"{found.fit_cpu_seconds:,.1f}"),
        ("peak memory, MB", f"{found.peak_rss_mb:,.0f}"),
    ):
        table.add_row(name, text, "")
    return table


def _confusions(found: Judgement) -> Table:
    table = Table("is", "taken for", "tickets", "of its class", title="worst pairs")
    for pair in found.worst_pairs:
        table.add_row(pair.label, pair.predicted, str(pair.count), f"{pair.share:.1%}")
    return table


def _stream(stream: StreamFigures) -> Table:
    table = Table("tickets seen", "accuracy", "majority so far", title="test, then train")
    for point in stream.curve:
        table.add_row(f"{point.seen:,}", _share(point.accuracy), _share(point.majority_accuracy))
    return table


def _late(stream: StreamFigures) -> Table:
    title = f"{stream.late_classes} classes that appear late"
    table = Table("its n-th tickets", "accuracy", "tickets", title=title)
    for span in stream.late_curve:
        name = f"{span.first}+" if span.last is None else f"{span.first}-{span.last}"
        table.add_row(name, _share(span.accuracy), f"{span.tickets:,}")
    return table


def _adaptation(found: Adaptation) -> Table:
    title = f"{len(found.new_classes)} new topics learned from corrections"
    headings = ("corrections each", "macro-F1, new", "accuracy, old", "majority class, old")
    table = Table(*headings, title=title)
    for step in (found.before, *found.steps):
        table.add_row(
            str(step.k),
            _share(step.new_f1),
            _share(step.old_accuracy),
            _share(found.old_majority_accuracy),
        )
    return table


def emergence(found: RadarFigures) -> Table:
    """What the radar proposed, beside the same clustering without regard to novelty."""
    title = (
        f"{found.radar.topics} unknown topics in {found.tickets:,} tickets, "
        f"{found.observed:,} of them encoded"
    )
    table = Table("radar", "value", "without novelty", title=title)
    for name, field, shape in (
        ("unknown topics proposed", "found", ".0f"),
        ("tickets of a topic until proposed, median", "tickets_median", ".0f"),
        ("the same, at most", "tickets_most", ".0f"),
        ("share of a proposal's examples of its topic", "purity", ".3f"),
        ("proposals in all", "proposals", ".0f"),
        ("proposals of known topics", "false", ".0f"),
    ):
        values = (getattr(each, field) for each in (found.radar, found.ungated))
        table.add_row(name, *("-" if math.isnan(v) else format(v, shape) for v in values))
    return table
