"""One line of the benchmark table and of build/bench.json."""

from typing import TypedDict


class Row(TypedDict):
    """A measured value beside its baseline of the same run, and the target it is held to.

    ratio: value / baseline_value. met: None where there is no target.
    """

    name: str
    value: float
    unit: str
    baseline: str
    baseline_value: float | None
    ratio: float | None
    target: str
    met: bool | None


def row(
    name: str,
    value: float,
    unit: str,
    *,
    baseline: str = "",
    baseline_value: float | None = None,
    ratio: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    ratio_at_least: float | None = None,
) -> Row:
    """A row whose target text and verdict follow from its numbers.

    ratio: the median over pairs, where there are any; else value / baseline_value. Of the three
    targets one may be given; more raise ValueError.
    """
    if sum(each is not None for each in (at_least, at_most, ratio_at_least)) > 1:
        raise ValueError("a row has one target")
    if ratio is None and baseline_value:
        ratio = value / baseline_value
    target, met = "", None
    if ratio_at_least is not None:
        target, met = f"ratio >= {ratio_at_least:g}", ratio is not None and ratio >= ratio_at_least
    if at_least is not None:
        target, met = f">= {at_least:g}", bool(value >= at_least)
    if at_most is not None:
        target, met = f"<= {at_most:g}", bool(value <= at_most)
    return Row(
        name=name,
        value=value,
        unit=unit,
        baseline=baseline,
        baseline_value=baseline_value,
        ratio=ratio,
        target=target,
        met=met,
    )
