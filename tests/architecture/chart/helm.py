"""Helm, built once from its source at a pinned version, and what it makes of the chart."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from deploy.local.workspace import CHECKOUT, Workspace, exclusive
from shared.errors import Misconfigured

VERSION = "v3.22.0"
SOURCE = f"helm.sh/helm/v3/cmd/helm@{VERSION}"
CHART = CHECKOUT / "deploy" / "helm" / "deskstream"
RELEASE, NAMESPACE = "desk", "support"
# Helm built without its makefile believes in 1.20.
KUBERNETES = "1.37.0"

Document = dict[str, Any]


def installed() -> Path | None:
    """The pinned Helm, built where that was not done yet; without Go the one of this machine.

    None where there is neither. Raises Misconfigured where Go cannot build it.
    """
    built = Workspace().root / "helm" / VERSION / "helm"
    if built.exists():
        return built
    if shutil.which("go") is None:
        found = shutil.which("helm")
        return Path(found) if found else None
    with exclusive(built.parent / "lock"):
        if not built.exists():
            _build(built.parent)
    return built


def _build(folder: Path) -> None:
    environment = {**os.environ, "GOBIN": str(folder)}
    command = ["go", "install", SOURCE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Misconfigured(
            "Go could not build Helm: check the network, or the mirror that `go env GOPROXY` "
            f"names, and try again. Go says: {done.stderr.strip()[-400:]}"
        )


class Helm:
    """The command line, and the chart rendered by it."""

    def __init__(self, program: Path, folder: Path) -> None:
        """`folder`: for files of values, and for what Helm keeps."""
        self._program = program
        self._folder = folder

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Helm, deaf to the cluster and the settings of whoever runs the tests."""
        own = {name: str(self._folder / name) for name in ("HELM_CACHE_HOME", "HELM_CONFIG_HOME")}
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), **own}
        command = [str(self._program), *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def template(
        self, values: Mapping[str, Any], *options: str
    ) -> subprocess.CompletedProcess[str]:
        """`helm template` with these values, tests and hooks included."""
        file = self.file(values)
        where = ("-n", NAMESPACE, "--kube-version", KUBERNETES)
        return self.run("template", RELEASE, str(CHART), *where, "-f", str(file), *options)

    def render(self, values: Mapping[str, Any]) -> "Manifests":
        """What would be installed. Fails the test where that is nothing."""
        done = self.template(values)
        assert done.returncode == 0, done.stderr
        return Manifests(done.stdout)

    def file(self, values: Mapping[str, Any]) -> Path:
        """These values as a file."""
        path = self._folder / "values.yaml"
        path.write_text(yaml.safe_dump(dict(values)))
        return path


class Manifests:
    """Rendered documents, by kind and by the component they belong to."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.all: list[Document] = [each for each in yaml.safe_load_all(text) if each]

    def of(self, kind: str) -> dict[str, Document]:
        """By the component in their labels; empty for those that belong to all."""
        return {
            each["metadata"]["labels"].get("app.kubernetes.io/component", ""): each
            for each in self.all
            if each["kind"] == kind
        }

    def pods(self) -> dict[str, Document]:
        """The pod templates of everything that runs, by component."""
        found = {name: each["spec"]["template"] for name, each in self.of("Deployment").items()}
        found |= {name: each["spec"]["template"] for name, each in self.of("Job").items()}
        for name, each in self.of("CronJob").items():
            found[name] = each["spec"]["jobTemplate"]["spec"]["template"]
        return found | self.of("Pod")

    def containers(self) -> Iterator[tuple[str, Document]]:
        """Every container with its component, those of the start included."""
        for component, pod in self.pods().items():
            for each in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]):
                yield component, each
