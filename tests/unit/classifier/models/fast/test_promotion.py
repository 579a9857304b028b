"""Promotions in the fold: every worker takes up the same model under the same corrections."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from services.classifier.adapters.artifact_store import Content
from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.promotion import ModelUnavailable
from services.classifier.models.fast.serving import FastLabeller
from shared.events import (
    CorrectionsUndone,
    LearningReset,
    ModelPromoted,
    RefitDue,
    TopicCreated,
)
from tests.builders import NOON, a_correction
from tests.unit.classifier.models.fast.folds import (
    DARK,
    TEXTS,
    TOPICS,
    correction,
    folded,
    topic_of,
)

BEAM, LAMP = "the beamer is dark", "the lamp is dark"


@dataclass
class Shelf:
    """Trained models by version, as a store would give them: afresh at each call."""

    encoder: Encoder
    files: dict[str, dict[str, Content]] = field(default_factory=dict)

    def put(self, version: str, corrected: Mapping[str, str]) -> None:
        head = TextHead(encoder=self.encoder)
        head.fit_corrected(TEXTS, TOPICS, corrected)
        self.files[version] = encode_state(FastLabeller.of(head, None).state())

    def load(self, version: str) -> FastLabeller:
        return FastLabeller.from_state(decode_state(self.files[version]), version, self.encoder)

    def promoted(self, event: ModelPromoted) -> FastLabeller | None:
        if event.version == "batch":
            return None
        if event.version not in self.files:
            raise ModelUnavailable("it is not there")
        return self.load(event.version)

    def fold(self) -> Fold:
        return Fold(lambda: self.load("v1"), promoted=self.promoted)


@pytest.fixture
def shelf(bag_encoder: Encoder) -> Shelf:
    shelf = Shelf(bag_encoder)
    shelf.put("v1", {})
    shelf.put("v2", {DARK: "projector", BEAM: "projector"})
    return shelf


def promotion(version: str, log_offset: int, number: int = 1) -> ModelPromoted:
    return ModelPromoted(
        event_id=f"p-{number}", received_at=NOON, actor="night", version=version,
        digest="d" * 64, log_offset=log_offset,
    )  # fmt: skip


REFIT = RefitDue(event_id="r", received_at=NOON)
BEFORE = [correction(1, DARK, "projector"), correction(2, BEAM, "projector")]


def test_later_corrections_stand_on_the_promoted_model(shelf: Shelf) -> None:
    fold = shelf.fold()
    folded(fold, [*BEFORE, correction(3, LAMP, "lighting"), promotion("v2", 2)])
    assert fold.identity.version == "v2"
    assert fold.identity.log_offset == 4
    assert topic_of(fold, DARK) == "projector"
    assert topic_of(fold, LAMP) == "lighting"
    assert fold.corrections == 3


def test_earlier_corrections_are_not_learned_twice(shelf: Shelf) -> None:
    fold = shelf.fold()
    folded(fold, [*BEFORE, promotion("v2", 2)])
    assert fold.digest() == Fold(lambda: shelf.load("v2")).digest()


LOG = [
    *BEFORE,
    TopicCreated(event_id="t", received_at=NOON, actor="kim", name="coffee"),
    correction(3, LAMP, "lighting"),
    REFIT,
    promotion("v2", 2),
    correction(4, "no coffee left", "coffee"),
    RefitDue(event_id="r2", received_at=NOON),
    CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", correction="c-2"),
    correction(5, "tunnel closed", "net"),
]


@pytest.mark.parametrize("cut", range(len(LOG)))
def test_a_restart_anywhere_gives_the_same_bits(shelf: Shelf, cut: int) -> None:
    whole, first = shelf.fold(), shelf.fold()
    folded(whole, LOG)
    folded(first, LOG[:cut])
    state = decode_state(encode_state(first.state()))
    second = Fold.from_state(state, lambda: shelf.load("v1"), shelf.encoder, shelf.promoted)
    folded(second, LOG[cut:])
    assert second.digest() == whole.digest()
    assert second.identity == whole.identity
    assert second.promotion == whole.promotion


def test_whatever_served_before_the_promotion_the_bits_after_it_are_the_same(shelf: Shelf) -> None:
    shelf.put("other", {})
    one = shelf.fold()
    other = Fold(lambda: shelf.load("other"), promoted=shelf.promoted)
    for fold in (one, other):
        folded(fold, LOG)
    assert one.digest() == other.digest()


def test_what_was_taken_back_since_the_training_is_withdrawn(shelf: Shelf) -> None:
    fold = shelf.fold()
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", corrector="eve")
    shelf.put("v2", {DARK: "projector", "inbox full today": "net"})
    folded(
        fold,
        [BEFORE[0], correction(2, "inbox full today", "net", "eve"), undone, promotion("v2", 2)],
    )
    assert topic_of(fold, "inbox full today") == "mail"
    assert topic_of(fold, DARK) == "projector"


def test_what_the_promoted_model_learned_can_be_taken_back_later(shelf: Shelf) -> None:
    fold = shelf.fold()
    odd = [f"brimming inbox {n}" for n in range(6)]
    shelf.put("v2", {DARK: "projector", **dict.fromkeys(odd, "projector")})
    wrong = [correction(n, text, "projector", "eve") for n, text in enumerate(odd, start=2)]
    folded(fold, [BEFORE[0], *wrong, promotion("v2", 7)])
    assert topic_of(fold, "brimming inbox") == "projector"
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", corrector="eve")
    folded(fold, [undone])
    assert topic_of(fold, "brimming inbox") == "mail"
    assert topic_of(fold, DARK) == "projector"


def test_a_text_corrected_twice_has_its_standing_label(shelf: Shelf) -> None:
    fold = shelf.fold()
    shelf.put("v2", {DARK: "mail"})
    undone = CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", correction="c-2")
    folded(fold, [BEFORE[0], correction(2, DARK, "mail"), undone, promotion("v2", 2)])
    assert topic_of(fold, DARK) == "projector"


def test_named_topics_stay_known(shelf: Shelf) -> None:
    fold = shelf.fold()
    named = TopicCreated(
        event_id="t", received_at=NOON, actor="kim", name="coffee", description="the machine"
    )
    textless = a_correction(event_id="c-9", topic="ghosts", body="", subject="")
    folded(fold, [named, textless, *BEFORE, promotion("v2", 4)])
    assert fold.topics["coffee"] == "the machine"
    assert "ghosts" in fold.topics


def test_a_reset_goes_back_to_the_latest_promoted_model(shelf: Shelf) -> None:
    fold = shelf.fold()
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    folded(fold, [*BEFORE, promotion("v2", 2), correction(3, LAMP, "lighting"), reset])
    assert fold.identity.version == "v2"
    assert fold.digest() == Fold(lambda: shelf.load("v2")).digest()


def test_a_model_that_learned_what_was_reset_since_is_not_taken_up(shelf: Shelf) -> None:
    fold = shelf.fold()
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    assert folded(fold, [*BEFORE, reset, promotion("v2", 2)])[-1] == "outdated"
    assert fold.identity.version == "v1"


@pytest.mark.parametrize("log_offset", [0, 3])
def test_a_model_of_no_correction_or_of_later_ones_is_taken_up_after_a_reset(
    shelf: Shelf, log_offset: int
) -> None:
    fold = shelf.fold()
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    folded(fold, [*BEFORE, reset, promotion("v2", log_offset)])
    assert fold.identity.version == "v2"


def test_a_repeated_promotion_changes_nothing(shelf: Shelf) -> None:
    fold = shelf.fold()
    folded(fold, [*BEFORE, promotion("v2", 2), correction(3, LAMP, "lighting")])
    before = fold.digest()
    assert folded(fold, [promotion("v2", 2)]) == ["repeated"]
    assert fold.digest() == before


def test_an_earlier_version_can_be_promoted_again(shelf: Shelf) -> None:
    fold = shelf.fold()
    folded(fold, [*BEFORE, promotion("v2", 2, 1), promotion("v1", 0, 2)])
    assert fold.identity.version == "v1"
    assert topic_of(fold, DARK) == "projector"


def test_a_model_that_cannot_be_had_leaves_the_old_one_and_says_so(shelf: Shelf) -> None:
    fold = shelf.fold()
    folded(fold, [*BEFORE, promotion("v3", 2), correction(3, LAMP, "lighting")])
    assert fold.identity.version == "v1"
    assert fold.unmet is not None
    assert "v3" in fold.unmet
    assert topic_of(fold, LAMP) == "lighting"
    assert fold.fork().unmet == fold.unmet


def test_the_next_promotion_that_can_be_had_brings_it_back_in_line(shelf: Shelf) -> None:
    late, whole = shelf.fold(), shelf.fold()
    folded(late, [*BEFORE, promotion("v3", 2, 1)])
    shelf.put("v3", {})
    folded(whole, [*BEFORE, promotion("v3", 2, 1)])
    assert late.digest() != whole.digest()
    for fold in (late, whole):
        folded(fold, [correction(3, LAMP, "lighting"), promotion("v2", 2, 2)])
    assert late.digest() == whole.digest()
    assert late.unmet is None


def test_a_reset_without_its_model_says_so_and_forgets_all_the_same(shelf: Shelf) -> None:
    fold = shelf.fold()
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    folded(fold, [*BEFORE, promotion("v2", 2)])
    del shelf.files["v2"]
    folded(fold, [reset])
    assert fold.unmet is not None
    assert fold.corrections == 0


def test_a_reference_changes_no_answer(shelf: Shelf) -> None:
    fold, plain = shelf.fold(), shelf.fold()
    folded(fold, [*BEFORE, promotion("batch", 2)])
    folded(plain, BEFORE)
    assert (fold.promotion, fold.unmet) == (None, None)
    assert topic_of(fold, DARK) == topic_of(plain, DARK)


def test_a_fold_without_a_store_keeps_its_model() -> None:
    trained = FastLabeller.train(TEXTS, TOPICS)
    model = FastLabeller(trained.topic, None, ModelIdentity("fast", "v1", "d"))
    fold = Fold(lambda: model)
    folded(fold, [promotion("v2", 0)])
    assert fold.identity.version == "v1"
    assert fold.unmet is not None
