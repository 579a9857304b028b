"""Whole rounds over made-up logs: what passes is saved and promoted, what is worse is not."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.classifier.adapters import material
from services.classifier.adapters.artifact_store import ArtifactMissing, LocalDirectory
from services.classifier.adapters.artifacts import load, manifests, read_manifest, save
from services.classifier.adapters.material import Row
from services.classifier.adapters.promotion_desk import MemoryPromotionDesk
from services.classifier.adapters.training_log import MemoryTrainingLog
from services.classifier.domain.labelling import Labeller, ModelIdentity
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.training.rounds import (
    KEPT,
    NOTHING_NEW,
    TOO_FEW,
    Family,
    Options,
    Round,
    Trainer,
    promote_again,
)
from shared.clock import utc_now
from shared.errors import Misconfigured, Unavailable
from shared.events import CorrectionLogEvent, CorrectionsUndone, LabelEvent, ModelPromoted
from tests.builders import NOON
from tests.unit.classifier.training.journal import correction, logs, tickets

OLD = tickets(120, seed=9, vague=0.0)
DESK = tickets(900, seed=1)


class Place:
    """A store of models with one in use, and where promotions are asked for."""

    def __init__(self, root: Path) -> None:
        self.models = LocalDirectory(root)
        self.material = LocalDirectory(root / material.FOLDER)
        self.desk = MemoryPromotionDesk()

    def use(self, labeller: FastLabeller, *, keep: bool = True) -> ModelIdentity:
        rows = [Row(each.text, each.topic, None) for each in OLD]
        name = material.keep(self.material, rows) if keep else None
        identity = save(self.models, labeller, {}, material=name)
        self.models.promote(identity.version)
        return identity

    async def round(
        self,
        corrections: Sequence[CorrectionLogEvent],
        labels: Sequence[LabelEvent],
        *families: Family,
        dry_run: bool = False,
    ) -> list[Round]:
        trainer = Trainer(
            MemoryTrainingLog(corrections, labels), self.models, self.material, self.desk,
            encoder=None, clock=utc_now, report=lambda *_: None,
        )  # fmt: skip
        return await trainer.train(families or ("fast",), Options(dry_run=dry_run))


@pytest.fixture(scope="module")
def poor() -> FastLabeller:
    """Knows a little: trained on a few clear tickets, some of them named wrongly."""
    draw = random.Random(3)
    names = [each.topic for each in OLD]
    for at in draw.sample(range(len(names)), 30):
        names[at] = draw.choice(names)
    return FastLabeller.train([each.text for each in OLD], names)


@pytest.fixture
def place(tmp_path: Path, poor: FastLabeller) -> Place:
    place = Place(tmp_path)
    place.use(poor)
    return place


def topic_of(model: Labeller, text: str) -> str:
    scores = model.label([text]).topic
    return scores.classes[int(scores.probabilities[0].argmax())]


async def test_a_better_model_is_saved_and_promoted(place: Place) -> None:
    [found] = await place.round(*logs(DESK))
    assert found.outcome == "promoted", found.reason
    assert found.version is not None
    [promoted] = place.desk.promoted.values()
    manifest = read_manifest(place.models, found.version)
    assert promoted == manifest.identity
    assert promoted.log_offset == found.log_offset > 0
    assert manifest.material == read_manifest(place.models, str(place.models.current())).material
    assert load(place.models, found.version).identity.digest == manifest.digest
    judged = found.heads["topic"]
    assert manifest.figures["topic_accuracy"] == judged.verdict.differences[0].challenger
    assert manifest.figures["topic_decided_rows"] == judged.decided >= 50


async def test_the_same_logs_give_the_same_model(tmp_path: Path, poor: FastLabeller) -> None:
    digests = []
    for name in ("one", "other"):
        place = Place(tmp_path / name)
        place.use(poor)
        await place.round(*logs(DESK))
        digests += [each.digest for each in place.desk.promoted.values()]
    assert len(digests) == 2
    assert digests[0] == digests[1]


async def test_a_worse_model_is_refused_and_not_saved(place: Place) -> None:
    corrections, labels = logs(DESK, wrong=0.3)
    draw = random.Random(2)
    early = int(0.8 * len(corrections))
    spoilt: list[CorrectionLogEvent] = [
        each.model_copy(update={"topic": draw.choice(["net", "mail", "pay"])})
        if n < early
        else each
        for n, each in enumerate(corrections)
    ]
    wrong = [
        each.model_copy(update={"topic": "pay", "topic_scores": {"pay": 0.99}})
        if draw.random() < 0.6
        else each
        for each in labels
    ]
    good = FastLabeller.train(
        [each.text for each in DESK[:400]], [each.topic for each in DESK[:400]]
    )
    place.use(good, keep=False)
    before = place.models.versions()
    [found] = await place.round(spoilt, wrong)
    assert found.outcome == "refused"
    assert "falls from" in found.reason
    assert place.desk.promoted == {}
    assert place.models.versions() == before


async def test_a_dry_run_judges_and_leaves_nothing_behind(place: Place) -> None:
    before = place.models.versions()
    [found] = await place.round(*logs(DESK), dry_run=True)
    assert (found.outcome, found.version) == ("passed", None)
    assert place.models.versions() == before
    assert place.desk.promoted == {}


async def test_too_few_corrections_promote_nothing(place: Place) -> None:
    [found] = await place.round(*logs(DESK[:60]))
    assert (found.outcome, found.reason) == ("refused", TOO_FEW)


def promotion(identity: ModelIdentity) -> ModelPromoted:
    return ModelPromoted(
        event_id="p", received_at=NOON, actor="retrain", version=identity.version,
        digest=identity.digest, log_offset=identity.log_offset,
    )  # fmt: skip


async def test_the_same_again_is_not_promoted_again(place: Place) -> None:
    corrections, labels = logs(DESK)
    [first] = await place.round(corrections, labels)
    [promoted] = place.desk.promoted.values()
    [second] = await place.round([*corrections, promotion(promoted)], labels)
    assert (second.champion, second.outcome, second.reason) == (
        first.version, "refused", NOTHING_NEW,
    )  # fmt: skip


async def test_the_next_round_holds_out_nothing_that_its_champion_learned(place: Place) -> None:
    corrections, labels = logs(tickets(1_800, seed=1))
    night = len(corrections) // 2
    day = labels[: int(corrections[night].ticket_id.removeprefix("t-"))]
    [first] = await place.round(corrections[:night], day)
    [promoted] = place.desk.promoted.values()
    log: list[CorrectionLogEvent] = [*corrections[:night], promotion(promoted)]
    log += corrections[night:]
    [second] = await place.round(log, labels)
    assert second.champion == first.version
    assert second.log_offset > first.log_offset > 0
    assert second.heads["topic"].decided >= 50


async def test_a_fold_that_takes_it_up_answers_like_the_saved_model(place: Place) -> None:
    corrections, labels = logs(DESK)
    await place.round(corrections, labels)
    [promoted] = place.desk.promoted.values()
    event = promotion(promoted)

    def loaded(version: str) -> FastLabeller:
        found = load(place.models, version)
        assert isinstance(found, FastLabeller)
        return found

    fold = Fold(
        lambda: loaded(str(place.models.current())), promoted=lambda each: loaded(each.version)
    )
    read: list[CorrectionLogEvent] = [*corrections[: promoted.log_offset], event]
    for offset, each in enumerate(read):
        fold.apply(LogRecord(offset, each))
    fold.refit()
    alone = Fold(lambda: loaded(promoted.version))
    assert fold.digest() == alone.digest()


async def test_undone_corrections_teach_nothing(place: Place) -> None:
    corrections, labels = logs(DESK)
    marked = [
        each.model_copy(update={"actor": "eve", "topic": "nonsense"}) if n % 3 == 0 else each
        for n, each in enumerate(corrections[:150])
    ]
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", corrector="eve")
    await place.round([*marked, *corrections[150:], undone], labels)
    [promoted] = place.desk.promoted.values()
    assert "nonsense" not in read_manifest(place.models, promoted.version).topics


async def test_a_batch_model_is_judged_by_the_same_gate(place: Place) -> None:
    [found] = await place.round(*logs(DESK), "batch")
    assert found.outcome == "promoted", found.reason
    [promoted] = place.desk.promoted.values()
    assert promoted.name == "batch"
    assert topic_of(load(place.models, promoted.version), "vpn router tunnel") == "net"


async def test_a_model_whose_tickets_were_not_kept_is_trained_on_what_it_remembers(
    place: Place, poor: FastLabeller
) -> None:
    place.models.discard(str(place.models.current()))
    place.use(poor, keep=False)
    [found] = await place.round(*logs(DESK))
    assert found.examples["original"] == len(OLD)


async def test_the_first_model_comes_from_corrections_alone(tmp_path: Path) -> None:
    place = Place(tmp_path)
    corrections = [correction(number, ticket) for number, ticket in enumerate(DESK[:400])]
    [found] = await place.round(corrections, [])
    assert (found.champion, found.outcome) == ("untrained", "promoted")
    assert found.version is not None
    assert topic_of(load(place.models, found.version), "vpn router tunnel") == "net"


async def test_a_fast_model_is_not_trained_where_a_batch_model_serves(place: Place) -> None:
    await place.round(*logs(DESK), "batch")
    [promoted] = place.desk.promoted.values()
    place.models.promote(promoted.version)
    with pytest.raises(Misconfigured, match="batch model"):
        await place.round(*logs(DESK))


async def test_where_ingest_is_away_the_model_is_kept_and_can_be_promoted_later(
    place: Place,
) -> None:
    place.desk.outage = "ingest is away"
    with pytest.raises(Unavailable, match="retrain --promote"):
        await place.round(*logs(DESK))
    place.desk.outage = None
    version = manifests(place.models)[-1].version
    promote_again(place.models, place.desk, version, NOON)
    [promoted] = place.desk.promoted.values()
    assert (promoted.version, promoted.log_offset > 0) == (version, True)


async def test_a_model_that_was_promoted_long_ago_may_be_gone(place: Place) -> None:
    corrections, labels = logs(DESK)
    [first] = await place.round(corrections, labels)
    [promoted] = place.desk.promoted.values()
    gone = promotion(ModelIdentity("fast", "gone", "f" * 64)).model_copy(update={"event_id": "p-0"})
    [found] = await place.round([gone, *corrections, promotion(promoted)], labels)
    assert found.champion == first.version


async def test_the_latest_promoted_model_must_be_there(place: Place) -> None:
    corrections, labels = logs(DESK)
    gone = promotion(ModelIdentity("fast", "gone", "f" * 64))
    with pytest.raises(ArtifactMissing, match="gone"):
        await place.round([*corrections, gone], labels)


def test_a_version_that_is_not_there_is_not_promoted(place: Place) -> None:
    with pytest.raises(ArtifactMissing):
        promote_again(place.models, place.desk, "v9", NOON)


async def test_old_rounds_go_but_none_that_is_in_use(place: Place, poor: FastLabeller) -> None:
    in_use = str(place.models.current())
    for number in range(KEPT + 3):
        other = FastLabeller.train([f"{n} {number}" for n in "abcd"], ["x", "y"] * 2)
        save(place.models, other, {}, log_offset=5)
    await place.round(*logs(DESK), dry_run=True)
    made = [each for each in manifests(place.models) if each.log_offset]
    assert len(made) == KEPT
    assert in_use in place.models.versions()
