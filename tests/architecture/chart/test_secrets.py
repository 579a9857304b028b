"""The key of the pseudonyms is made once: an upgrade finds it in the cluster and keeps it.

The cluster is a server that answers the two questions Helm asks for `lookup`.
"""

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.architecture.chart.helm import NAMESPACE, Document, Helm, Manifests
from tests.architecture.chart.sets import NEEDED

pytestmark = pytest.mark.timeout(1800)

NAME, KEY = "desk-deskstream-pseudonyms", "pseudonym-key"
SECRETS = {
    "name": "secrets",
    "singularName": "secret",
    "namespaced": True,
    "kind": "Secret",
    "verbs": ["get"],
}


class Cluster:
    """An API server that knows Secrets and nothing else."""

    def __init__(self) -> None:
        self.secrets: dict[str, Document] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Cluster":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, path: str) -> dict[str, Any] | None:
        folder, _, name = path.rpartition("/")
        if folder == f"/api/v1/namespaces/{NAMESPACE}/secrets":
            return self.secrets.get(name)
        known: dict[str, dict[str, Any]] = {
            "/version": {"major": "1", "minor": "37", "gitVersion": "v1.37.0"},
            "/api": {"kind": "APIVersions", "versions": ["v1"]},
            "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
            "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [SECRETS]},
        }
        return known.get(path)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        cluster = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = cluster._answer(self.path.partition("?")[0])
                status = {
                    "kind": "Status",
                    "apiVersion": "v1",
                    "status": "Failure",
                    "reason": "NotFound",
                    "code": 404,
                }
                body = json.dumps(status if found is None else found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        return Handler


@pytest.fixture
def cluster() -> Iterator[Cluster]:
    with Cluster() as running:
        yield running


def _secret(helm: Helm, cluster: Cluster) -> Document:
    asked = ("--dry-run=server", "--kube-apiserver", cluster.url)
    done = helm.template(NEEDED, *asked)
    assert done.returncode == 0, done.stderr
    [found] = [each for each in Manifests(done.stdout).all if each["metadata"]["name"] == NAME]
    return dict(found)


def test_a_first_installation_makes_a_key_that_ingest_takes(helm: Helm, cluster: Cluster) -> None:
    first, second = _secret(helm, cluster), _secret(helm, cluster)
    assert len(base64.b64decode(first["data"][KEY])) >= 32
    assert first["data"] != second["data"]
    assert first["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}


def test_an_upgrade_keeps_the_key(helm: Helm, cluster: Cluster) -> None:
    cluster.secrets[NAME] = _secret(helm, cluster)
    assert _secret(helm, cluster)["data"] == cluster.secrets[NAME]["data"]
