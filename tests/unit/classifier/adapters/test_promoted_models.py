"""Promoted models from a store: the very one that was promoted, or a reason why not."""

import asyncio
from pathlib import Path

import pytest

from services.classifier.adapters import promoted_models
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.artifacts import save
from services.classifier.adapters.promoted_models import PromotedModels, PromotionWatch
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.batch.classifier import BatchLabeller
from services.classifier.models.fast.promotion import ModelUnavailable
from services.classifier.models.fast.serving import FastLabeller
from shared import metrics
from shared.events import ModelPromoted
from tests.builders import NOON

TEXTS = ["vpn drops", "inbox full"] * 8
TOPICS = ["net", "mail"] * 8


@pytest.fixture
def store(tmp_path: Path) -> LocalDirectory:
    return LocalDirectory(tmp_path)


@pytest.fixture
def saved(store: LocalDirectory) -> ModelIdentity:
    return save(store, FastLabeller.train(TEXTS, TOPICS), {})


def promotion(identity: ModelIdentity) -> ModelPromoted:
    return ModelPromoted(
        event_id="p", received_at=NOON, actor="night", version=identity.version,
        digest=identity.digest, log_offset=0,
    )  # fmt: skip


def count(outcome: str) -> float:
    return float(metrics.PROMOTIONS.labels(outcome)._value.get())


def test_the_promoted_model_is_loaded(store: LocalDirectory, saved: ModelIdentity) -> None:
    before = count("taken")
    found = PromotedModels(store)(promotion(saved))
    assert found is not None
    assert found.identity == saved
    assert count("taken") == before + 1


def test_a_model_that_does_not_learn_is_a_reference(store: LocalDirectory) -> None:
    saved = save(store, BatchLabeller.train(TEXTS, TOPICS), {})
    assert PromotedModels(store)(promotion(saved)) is None


def test_a_missing_one_says_so_and_is_counted(store: LocalDirectory, saved: ModelIdentity) -> None:
    before = count("unavailable")
    store.discard(saved.version)
    with pytest.raises(ModelUnavailable) as fault:
        PromotedModels(store)(promotion(saved))
    assert saved.version in fault.value.reason
    assert count("unavailable") == before + 1


@pytest.mark.parametrize("name", ["arrays.npz", "values.json", "manifest.json"])
def test_a_damaged_one_is_not_taken_up(
    store: LocalDirectory, saved: ModelIdentity, tmp_path: Path, name: str
) -> None:
    path = tmp_path / saved.version / name
    path.write_bytes(path.read_bytes()[:-9] + b"x" * 9)
    with pytest.raises(ModelUnavailable):
        PromotedModels(store)(promotion(saved))


def test_another_model_under_the_same_name_is_not_taken_up(
    store: LocalDirectory, saved: ModelIdentity
) -> None:
    foreign = ModelIdentity(saved.name, saved.version, "f" * 64)
    with pytest.raises(ModelUnavailable, match="was promoted, but the store has"):
        PromotedModels(store)(promotion(foreign))


def test_one_that_arrives_later_is_noticed(store: LocalDirectory, saved: ModelIdentity) -> None:
    models = PromotedModels(store)
    assert not models.arrived()
    files = store.get(saved.version)
    store.discard(saved.version)
    with pytest.raises(ModelUnavailable):
        models(promotion(saved))
    assert not models.arrived()
    store.put(saved.version, files)
    assert models.arrived()


@pytest.mark.parametrize("unmet", [None, "v2: it is not there"])
async def test_the_process_ends_only_where_a_model_is_wanted(
    store: LocalDirectory,
    saved: ModelIdentity,
    monkeypatch: pytest.MonkeyPatch,
    unmet: str | None,
) -> None:
    ended = asyncio.Event()
    looked = asyncio.Event()

    def asked() -> str | None:
        looked.set()
        return unmet

    monkeypatch.setattr(promoted_models, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(promoted_models, "die", lambda _: ended.set())
    models = PromotedModels(store)
    files = store.get(saved.version)
    store.discard(saved.version)
    with pytest.raises(ModelUnavailable):
        models(promotion(saved))
    store.put(saved.version, files)
    async with PromotionWatch(models, asked):
        await looked.wait()
        if unmet:
            await ended.wait()
    assert ended.is_set() == (unmet is not None)
