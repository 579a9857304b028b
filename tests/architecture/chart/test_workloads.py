"""What runs is what the services expect: settings, ports, probes, images, users, volumes."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from deploy.local.workspace import CHECKOUT
from services.classifier.settings import ClassifierSettings
from shared.settings import ServiceSettings
from shared.streaming.worker import STOP_SECONDS, STUCK_SECONDS
from shared.topics import RECEIVED
from tests.architecture.chart.helm import Document, Manifests
from tests.architecture.chart.variables import CACHES, OWN, SETTINGS, names
from tests.certificates import authority, signed

pytestmark = pytest.mark.timeout(1800)

SERVICES = ("ingest", "classifier", "semantic", "forecaster", "gateway")
# What the services promise for themselves, whatever happens (docs/operations.md).
GONE_SECONDS = 25
USER = re.compile(r"^USER (\d+)$", re.MULTILINE)


@pytest.fixture(params=["defaults", "everything", "smallest"])
def manifests(request: pytest.FixtureRequest) -> Manifests:
    found: Manifests = request.getfixturevalue(request.param)
    return found


def _main(manifests: Manifests, component: str) -> Document:
    [found] = manifests.pods()[component]["spec"]["containers"]
    return dict(found)


def test_every_variable_is_one_that_the_service_reads(manifests: Manifests) -> None:
    for component, container in manifests.containers():
        given = [each["name"] for each in container.get("env", [])]
        assert len(set(given)) == len(given), component
        assert set(given) <= names(*SETTINGS[component]) | CACHES, component


def test_the_services_take_the_values(
    manifests: Manifests, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = signed(tmp_path, "any", authority(tmp_path, "authority"))
    known = {"KAFKA_SSL_KEY_FILE": str(made.key), "REDIS_URL": "rediss://redis:6379/0"}
    certificates = ("KAFKA_SSL_CA_FILE", "KAFKA_SSL_CERT_FILE", "REDIS_SSL_CA_FILE")
    known |= dict.fromkeys(certificates, str(made.file))
    for component, classes in SETTINGS.items():
        if component not in manifests.pods():
            continue
        with monkeypatch.context() as environment:
            for variable in _main(manifests, component).get("env", []):
                value = variable.get("value", "x" * 16)
                environment.setenv(variable["name"], known.get(variable["name"], value))
            for each in classes:
                each()  # raises where a value cannot be


def test_values_reach_the_services(everything: Manifests) -> None:
    def value(component: str, name: str) -> str:
        given = _main(everything, component)["env"]
        [found] = [each["value"] for each in given if each["name"] == name]
        return str(found)

    assert value("ingest", "INGEST_MAX_EVENTS") == "1000"
    assert value("classifier", "CLASSIFIER_SHADOW") == "true"
    assert value("semantic", "SEMANTIC_SHARE") == "0.2"
    assert {value(each, "KAFKA_PARTITIONS") for each in SERVICES} == {"24"}


def test_all_that_speak_with_kafka_enter_it_alike(everything: Manifests) -> None:
    speakers = {"ingest", "classifier", "semantic", "forecaster", "retrain", "topics"}
    entered = {}
    for component in everything.pods():
        container = _main(everything, component)
        given = [e for e in container.get("env", []) if re.match("KAFKA_S[AES]", e["name"])]
        if given:
            entered[component] = given
            files = {e["value"] for e in given if e["name"].endswith("_FILE")}
            assert files == _files(everything, component, "kafka"), component
    assert entered.keys() == speakers
    assert all(given == entered["ingest"] for given in entered.values())
    login = next(e for e in entered["ingest"] if e["name"] == "KAFKA_SASL_PASSWORD")
    wanted = {"name": "kafka-login", "key": "password"}
    assert login["valueFrom"]["secretKeyRef"] == wanted
    scaler = everything.of("TriggerAuthentication")["classifier"]
    assert {"parameter": "password", **wanted} in scaler["spec"]["secretTargetRef"]
    [trigger] = everything.of("ScaledObject")["classifier"]["spec"]["triggers"]
    assert trigger["authenticationRef"] == {"name": scaler["metadata"]["name"]}
    assert (trigger["metadata"]["sasl"], trigger["metadata"]["tls"]) == ("scram_sha512", "enable")


def _files(manifests: Manifests, component: str, volume: str) -> set[str]:
    """The paths at which a container finds what a projected volume holds."""
    container = _main(manifests, component)
    [mount] = [each for each in container["volumeMounts"] if each["name"] == volume]
    volumes = manifests.pods()[component]["spec"]["volumes"]
    [sources] = [each["projected"]["sources"] for each in volumes if each["name"] == volume]
    return {
        f"{mount['mountPath']}/{item['path']}"
        for source in sources
        for item in source["secret"]["items"]
    }


def test_all_that_speak_with_redis_are_given_its_authorities(everything: Manifests) -> None:
    for component, pod in everything.pods().items():
        env = {each["name"]: each for each in _main(everything, component).get("env", [])}
        assert ("REDIS_URL" in env) == ("REDIS_SSL_CA_FILE" in env), component
        if "REDIS_URL" in env:
            assert env["REDIS_SSL_CA_FILE"]["value"] in _files(everything, component, "redis")
        else:
            assert "redis" not in {each["name"] for each in pod["spec"].get("volumes", [])}


def test_secrets_are_referred_to_and_never_written_out(
    defaults: Manifests, everything: Manifests
) -> None:
    assert "secret@" not in defaults.text
    assert defaults.of("Secret")  # two, of one component: none
    assert "Secret" not in {each["kind"] for each in everything.all}
    for manifests, own in ((defaults, True), (everything, False)):
        made = {e["metadata"]["name"] for e in manifests.all if e["kind"] == "Secret"}
        keys = {key for e in manifests.all if e["kind"] == "Secret" for key in e["data"]}
        for _, container in manifests.containers():
            for variable in container.get("env", []):
                reference = variable.get("valueFrom", {}).get("secretKeyRef")
                if reference and own:
                    assert reference["name"] in made
                    assert reference["key"] in keys
                elif reference:
                    assert reference["name"] in {"read-side", "pseudonyms", "kafka-login"}


@pytest.mark.parametrize("service", SERVICES)
def test_ports_are_those_the_service_listens_on(everything: Manifests, service: str) -> None:
    [settings] = [each for each in OWN[service][:1] if issubclass(each, ServiceSettings)]
    port = settings.model_fields["port"].default
    container = _main(everything, service)
    assert container["ports"] == [{"name": "http", "containerPort": port}]
    [exposed] = everything.of("Service")[service]["spec"]["ports"]
    assert (exposed["port"], exposed["targetPort"]) == (port, "http")
    gateway = {each["name"]: each.get("value") for each in _main(everything, "gateway")["env"]}
    if service != "gateway":
        name = everything.of("Service")[service]["metadata"]["name"]
        assert gateway[f"GATEWAY_{service.upper()}_URL"] == f"http://{name}:{port}"


def test_selectors_find_the_pods_they_are_for_and_no_others(manifests: Manifests) -> None:
    pods = {name: pod["metadata"]["labels"] for name, pod in manifests.pods().items()}

    def found(selector: dict[str, str]) -> set[str]:
        return {name for name, labels in pods.items() if selector.items() <= labels.items()}

    for kind in ("Deployment", "Service", "PodDisruptionBudget"):
        for component, document in manifests.of(kind).items():
            selector = document["spec"]["selector"]
            assert found(selector.get("matchLabels", selector)) == {component}, kind
    for document in manifests.of("ServiceMonitor").values():
        labels = document["spec"]["selector"]["matchLabels"].items()
        services = manifests.of("Service")
        chosen = {n for n, each in services.items() if labels <= each["metadata"]["labels"].items()}
        assert chosen == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_probes_follow_what_the_answers_mean(defaults: Manifests, service: str) -> None:
    container = _main(defaults, service)
    start, live, ready = (
        container[f"{each}Probe"] for each in ("startup", "liveness", "readiness")
    )
    assert {probe["httpGet"]["port"] for probe in (start, live, ready)} == {"http"}
    assert start["httpGet"]["path"] == live["httpGet"]["path"] == "/health"
    # The gateway's /ready asks all others: it would go with each of them.
    assert ready["httpGet"]["path"] == ("/health" if service == "gateway" else "/ready")
    if service in {"classifier", "semantic", "forecaster"}:
        # The watchdog goes first: it writes down where the process hangs.
        assert live["periodSeconds"] * live["failureThreshold"] > STUCK_SECONDS
    # /ready takes 3 s at most for its checks.
    assert ready["timeoutSeconds"] > 3


def test_pods_get_the_time_to_stop(manifests: Manifests) -> None:
    for service in SERVICES:
        pod = manifests.pods()[service]["spec"]
        before = 5 if "lifecycle" in pod["containers"][0] else 0
        assert pod["terminationGracePeriodSeconds"] > GONE_SECONDS + before
        assert GONE_SECONDS > STOP_SECONDS


def test_nothing_runs_as_root_or_can_become_it(manifests: Manifests) -> None:
    [user] = {int(each) for each in USER.findall((CHECKOUT / "Dockerfile").read_text())}
    for component, pod in manifests.pods().items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"] is True, component
        assert spec["securityContext"]["runAsUser"] == user
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert spec["automountServiceAccountToken"] is False
        # Variables like INGEST_PORT=tcp://... would be taken for settings.
        assert spec["enableServiceLinks"] is False
    for component, container in manifests.containers():
        rights = container["securityContext"]
        assert rights["allowPrivilegeEscalation"] is False, component
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["resources"]["limits"].keys() == {"memory"}


def test_what_is_mounted_is_there_and_what_is_written_is_mounted(manifests: Manifests) -> None:
    for component, pod in manifests.pods().items():
        volumes = {each["name"] for each in pod["spec"].get("volumes", [])}
        used = set()
        for container in (*pod["spec"].get("initContainers", []), *pod["spec"]["containers"]):
            mounts = {each["mountPath"]: each["name"] for each in container.get("volumeMounts", [])}
            used |= set(mounts.values())
            for variable in container.get("env", []):
                value = variable.get("value", "")
                if value.startswith("/"):
                    assert any(Path(value).is_relative_to(each) for each in mounts), component
        assert used == volumes, component
    claims = {each["metadata"]["name"] for each in manifests.all if "Claim" in each["kind"]}
    wanted = {
        volume["persistentVolumeClaim"]["claimName"]
        for pod in manifests.pods().values()
        for volume in pod["spec"].get("volumes", [])
        if "persistentVolumeClaim" in volume
    }
    assert wanted == claims


def test_images_are_those_that_compose_builds(defaults: Manifests, everything: Manifests) -> None:
    compose = (CHECKOUT / "docker-compose.yml").read_text()
    built = set(re.findall(r"image: (deskstream/\w+):local", compose))
    ours = {each["image"] for _, each in defaults.containers()}
    assert {image.partition(":")[0] for image in ours} < built
    theirs = {each["image"] for _, each in everything.containers()}
    assert {image.rpartition("/")[0] for image in theirs} == {"registry.example.org/desk"}
    assert {image.rpartition(":")[2] for image in theirs} == {"1.2.3"}


def test_commands_are_modules(manifests: Manifests) -> None:
    for component, container in manifests.containers():
        command = container.get("command", [])
        if command[:2] == ["python", "-m"]:
            assert importlib.util.find_spec(command[2]), component


def test_a_roll_out_adds_no_member_to_a_group(defaults: Manifests) -> None:
    for service in SERVICES:
        limits = defaults.of("Deployment")[service]["spec"]["strategy"]["rollingUpdate"]
        member = service in {"classifier", "semantic", "forecaster"}
        assert limits["maxSurge"] == (0 if member else 1)


def test_budgets_and_scalers_stand_where_there_are_several(
    defaults: Manifests, everything: Manifests, smallest: Manifests
) -> None:
    assert defaults.of("PodDisruptionBudget").keys() == {"ingest", "classifier", "gateway"}
    assert smallest.of("PodDisruptionBudget") == {}
    scaled = {*everything.of("HorizontalPodAutoscaler"), *everything.of("ScaledObject")}
    assert scaled == {"ingest", "gateway", "classifier"}
    for service, document in everything.of("Deployment").items():
        assert ("replicas" in document["spec"]) == (service not in scaled)


def test_the_classifiers_are_scaled_by_what_they_read(everything: Manifests) -> None:
    spec = everything.of("ScaledObject")["classifier"]["spec"]
    name = everything.of("Deployment")["classifier"]["metadata"]["name"]
    assert spec["scaleTargetRef"] == {"name": name}
    [trigger] = spec["triggers"]
    assert trigger["metadata"]["topic"] == RECEIVED.name
    assert trigger["metadata"]["consumerGroup"] == ClassifierSettings.model_fields["group"].default
    assert trigger["metadata"]["allowIdleConsumers"] == "false"


def test_the_demo_uses_the_simulator_s_own_queues(smallest: Manifests, defaults: Manifests) -> None:
    def queues(manifests: Manifests) -> list[Any]:
        given = _main(manifests, "forecaster")["env"]
        return [each["value"] for each in given if each["name"] == "FORECASTER_QUEUES_FILE"]

    assert queues(smallest) == []  # the image names helpdesk.json itself
    [file] = queues(defaults)
    [mount] = [e for e in _main(defaults, "forecaster")["volumeMounts"] if e["name"] == "queues"]
    assert file == f"{mount['mountPath']}/{next(iter(defaults.of('ConfigMap')['']['data']))}"
