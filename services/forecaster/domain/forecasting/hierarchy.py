"""A tree of series: parents are sums of their children, in the past and in the forecast."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.forecaster.domain.forecasting.distribution import ForecastDistribution, recentred
from services.forecaster.domain.forecasting.series import FloatArray, History, add


class HierarchyError(ValueError):
    """A tree with a loop, or a node without data below it."""


@dataclass(frozen=True, slots=True)
class Hierarchy:
    """Who belongs to whom. parents: child name -> parent name; roots are not keys."""

    parents: Mapping[str, str]

    def __post_init__(self) -> None:
        """Raise HierarchyError where following parents leads back to the start."""
        for name in self.parents:
            seen, node = {name}, self.parents[name]
            while node in self.parents:
                if node in seen:
                    raise HierarchyError(f"{name!r} is its own ancestor")
                seen.add(node)
                node = self.parents[node]

    def children(self) -> dict[str, list[str]]:
        """Direct children by parent, both sorted."""
        found: dict[str, list[str]] = {}
        for child, parent in sorted(self.parents.items()):
            found.setdefault(parent, []).append(child)
        return dict(sorted(found.items()))

    def bottom_up(self) -> list[str]:
        """Parents such that each comes after all parents among its children."""
        children = self.children()
        order: list[str] = []

        def visit(node: str) -> None:
            for child in children.get(node, ()):
                visit(child)
            if node in children:
                order.append(node)

        for root in sorted(set(children) - set(self.parents)):
            visit(root)
        return order


def with_parents(series: Mapping[str, History], tree: Hierarchy) -> dict[str, History]:
    """Leaves as given and every parent as the sum of its children.

    Data given for a parent itself is replaced: a parent that disagrees with its children would
    be counted twice. Raises HierarchyError for a child that has no series.
    """
    children = tree.children()
    complete = {name: history for name, history in series.items() if name not in children}
    for parent in tree.bottom_up():
        missing = [child for child in children[parent] if child not in complete]
        if missing:
            raise HierarchyError(f"{parent!r} has a child without a series: {missing[0]!r}")
        complete[parent] = add(complete[child] for child in children[parent])
    return complete


def reconciled(
    base: Mapping[str, ForecastDistribution], tree: Hierarchy
) -> dict[str, ForecastDistribution]:
    """Bottom-up: leaves keep their forecast, parents get the sum of means, own residuals kept.

    base: forecasts of leaves and parents from the same origin. Nodes of the tree that have no
    forecast of their own are left out.
    """
    result = dict(base)
    children = tree.children()
    for parent in tree.bottom_up():
        parts = [result[child] for child in children[parent] if child in result]
        if parent in base and len(parts) == len(children[parent]):
            result[parent] = recentred(base[parent], _sum(part.mean for part in parts))
    return result


def forecast_tree(
    series: Mapping[str, History],
    tree: Hierarchy,
    forecast: Callable[[History], ForecastDistribution],
) -> dict[str, ForecastDistribution]:
    """Forecast every series (parents included) and make the means add up."""
    return reconciled({name: forecast(history) for name, history in series.items()}, tree)


def _sum(means: Iterable[FloatArray]) -> FloatArray:
    total, *rest = means
    for mean in rest:
        total = total + mean
    return total
