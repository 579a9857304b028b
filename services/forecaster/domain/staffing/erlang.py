"""Queueing formulas of answered-now channels: Erlang B, C and A."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class WaitingLine:
    """Steady state of a line with a number of positions.

    service_level: share of all contacts answered within the target time. occupancy: share of
    time a position is busy. abandonment: share of contacts that give up (0 in Erlang C).
    mean_wait: seconds, over all contacts; infinite where the line is unstable.
    """

    positions: int
    service_level: float
    occupancy: float
    waiting_probability: float
    mean_wait: float
    abandonment: float = 0.0


def erlang_b(load: float, positions: int) -> float:
    """Probability that all positions are busy where nobody waits (stable recursion)."""
    blocked = 1.0
    for count in range(1, positions + 1):
        blocked = load * blocked / (count + load * blocked)
    return blocked


def erlang_c(load: float, positions: int, handling: float, target: float) -> WaitingLine:
    """Patient contacts. load: erlangs; handling and target: seconds (Erlang 1917)."""
    if load <= 0:
        return WaitingLine(positions, 1.0, 0.0, 0.0, 0.0)
    if positions <= load:
        return WaitingLine(positions, 0.0, 1.0, 1.0, float("inf"))
    blocked = erlang_b(load, positions)
    waiting = blocked / (1.0 - load / positions * (1.0 - blocked))
    spare = positions - load
    level = 1.0 - waiting * float(np.exp(-spare * target / handling))
    return WaitingLine(positions, level, load / positions, waiting, waiting * handling / spare)


def erlang_a(
    load: float, positions: int, handling: float, target: float, patience: float
) -> WaitingLine:
    """Contacts that give up after an exponential patience (Palm 1957; Garnett et al. 2002).

    patience: mean seconds. Someone who finds j others waiting would wait V with
    exp(-V / patience) distributed Beta(c, j + 1), c = positions x patience / handling, which
    gives the share answered in time in closed form.
    """
    if load <= 0:
        return WaitingLine(positions, 1.0, 0.0, 0.0, 0.0)
    if positions < 1:
        return WaitingLine(positions, 0.0, 1.0, 1.0, patience, 1.0)
    ratio = positions * patience / handling
    steps = load * patience / handling / (ratio + np.arange(1, _longest(load, patience, handling)))
    waiting_line = np.concatenate([[1.0], np.cumprod(steps)])
    # Erlang B gives the busy states' weight relative to "all busy, nobody waits".
    all_busy = 1.0 / (1.0 / erlang_b(load, positions) + float(waiting_line.sum()) - 1.0)
    chances = all_busy * waiting_line
    line = np.arange(len(chances))
    gone = float((chances * line).sum()) * handling / (patience * load)
    served_late = _served_after(ratio, line, float(np.exp(-target / patience)))
    level = 1.0 - gone - float((chances * served_late).sum())
    answered = 1.0 - gone
    return WaitingLine(
        positions,
        float(np.clip(level, 0.0, 1.0)),
        min(1.0, load * answered / positions),
        float(chances.sum()),
        gone * patience,
        gone,
    )


def _longest(load: float, patience: float, handling: float) -> int:
    """Queue length beyond which probabilities vanish."""
    mean = load * patience / handling
    return int(mean + 10.0 * np.sqrt(mean + 1.0) + 50.0)


def _served_after(
    ratio: float, line: "np.ndarray[tuple[int], np.dtype[np.int64]]", edge: float
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Probability of being served, but after the target, with j = `line` others waiting.

    E[B; B < edge] for B ~ Beta(ratio, j + 1) = ratio / (ratio + j + 1) x I_edge(ratio + 1, j + 1).
    """
    shape = ratio + 1.0
    terms = np.empty(len(line))
    terms[0] = 1.0
    terms[1:] = np.cumprod((shape + line[:-1]) / line[1:] * (1.0 - edge))
    incomplete = np.minimum(edge**shape * np.cumsum(terms), 1.0)
    return np.asarray(ratio / (ratio + line + 1.0) * incomplete, dtype=np.float64)
