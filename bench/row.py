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
    at_least: float | None = None,
    at_most: float | None = None,
) -> Row:
    """A row whose ratio, target text and verdict follow from its numbers.

    Of `at_least` and `at_most` one may be given; both raise ValueError.
    """
    if at_least is not None and at_most is not None:
        raise ValueError("a row has one target")
    target, met = "", None
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
        ratio=value / baseline_value if baseline_value else None,
        target=target,
        met=met,
    )
