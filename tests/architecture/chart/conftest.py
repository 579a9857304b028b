"""The chart rendered in three ways, once for all tests."""

from pathlib import Path

import pytest

from tests.architecture.chart import sets
from tests.architecture.chart.helm import Helm, Manifests, installed


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Helm; the first time Go builds it, for some minutes."""
    program: Path | None = installed()
    if program is None:
        pytest.skip("the chart needs Helm: install Go, which builds it, or Helm 3 itself")
    return Helm(program, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def defaults(helm: Helm) -> Manifests:
    """Only what is needed."""
    return helm.render(sets.NEEDED)


@pytest.fixture(scope="session")
def everything(helm: Helm) -> Manifests:
    """Every switch on."""
    return helm.render(sets.EVERYTHING)


@pytest.fixture(scope="session")
def smallest(helm: Helm) -> Manifests:
    """A trial on one node: every switch off, one pod each."""
    return helm.render(sets.SMALLEST)
