"""What a judgement is worth telling: figures as they leave the process, without nan or infinity."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from math import isfinite

from services.classifier.domain.error_budget import Threshold
from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.domain.quality import Batch, Quality, TopicQuality
from shared.quality import (
    BatchReport,
    DriftReport,
    Figures,
    HistoryPoint,
    QualityReport,
    TopicReport,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def report(
    judgement: Judgement,
    model: ModelIdentity,
    *,
    shadow: bool,
    topic: str | None = None,
    start: datetime = EPOCH,
    end: datetime | None = None,
) -> QualityReport:
    """Everything, or one topic's rows, with the series from `start` to before `end`."""

    def within(at: float) -> bool:
        return start.timestamp() <= at and (end is None or at < end.timestamp())

    quality, budget = judgement.quality, judgement.budget
    seen = quality.topics()
    names = sorted({*budget.topics, *seen}) if topic is None else [topic]
    return QualityReport(
        model=model.name,
        version=model.version,
        log_offset=model.log_offset,
        judged=quality.judged,
        window=_figures(quality.now()),
        target_precision=budget.target,
        coverage=budget.coverage,
        shadow=shadow,
        topics=[_topic(name, seen.get(name), judgement.threshold(name)) for name in names],
        history=[
            HistoryPoint(
                at=_time(point.at),
                judged=point.judged,
                figures=_figures(point.quality),
                f1=None if topic is None else point.topics.get(topic),
            )
            for point in quality.history
            if within(point.at)
        ],
        batches=[each for at, each in _batches(quality.batches) if within(at)],
        drifts=[
            DriftReport(
                at=_time(drift.at),
                judged=drift.judged,
                error_before=drift.before,
                error_after=drift.after,
            )
            for drift in quality.drifts
            if within(drift.at)
        ],
    )


def _topic(name: str, seen: TopicQuality | None, threshold: Threshold) -> TopicReport:
    applied = isfinite(threshold.confidence)
    return TopicReport(
        topic=name,
        tickets=seen.tickets if seen else 0,
        precision=seen.precision if seen else None,
        recall=seen.recall if seen else None,
        f1=seen.f1 if seen else None,
        threshold=threshold.confidence if applied else None,
        evidence=threshold.evidence.value,
        measured_precision=threshold.precision if applied else None,
        precision_bound=threshold.lower_bound if applied else None,
        coverage=threshold.coverage,
        measured_tickets=threshold.tickets,
    )


def _batches(batches: tuple[Batch, ...]) -> Iterator[tuple[float, BatchReport]]:
    for batch, following in pairwise([*batches, None]):
        if batch is not None:
            yield (
                batch.at,
                BatchReport(
                    at=_time(batch.at),
                    log_offset=batch.offset,
                    before=_figures(batch.own),
                    after=_figures(following.own) if following else None,
                    window=_figures(batch.window),
                ),
            )


def _figures(quality: Quality) -> Figures:
    if not quality.tickets:
        return Figures(tickets=0, accuracy=None, macro_f1=None, majority_accuracy=None)
    return Figures(
        tickets=quality.tickets,
        accuracy=quality.accuracy,
        macro_f1=quality.macro_f1,
        majority_accuracy=quality.majority_accuracy,
    )


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
