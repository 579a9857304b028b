"""The fold of the correction log: deterministic, reversible, indifferent to repeats."""

import numpy as np
import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.fast.serving import FastLabeller
from shared.events import CorrectionsUndone, LearningReset, TopicCreated
from tests.builders import NOON, a_correction
from tests.unit.classifier.models.fast.folds import (
    DARK,
    TEXTS,
    MakeFold,
    correction,
    folded,
    refit,
    topic_of,
)


def undo(**what: str) -> CorrectionsUndone:
    return CorrectionsUndone(event_id="u", received_at=NOON, actor="boss", **what)


LOG = [
    correction(1, DARK, "projector"),
    correction(2, "the beamer is dark", "projector"),
    refit(1),
    correction(3, "inbox gone", "net"),
    TopicCreated(event_id="t", received_at=NOON, actor="kim", name="coffee"),
    correction(4, "no coffee left", "coffee", "ann"),
    undo(correction="c-3"),
    correction(5, "the tunnel is closed", "net", "ann"),
]


def test_the_same_log_gives_the_same_bits(make: MakeFold) -> None:
    one, other = make(), make()
    assert folded(one, LOG) == folded(other, LOG)
    assert one.digest() == other.digest() != make().digest()
    assert one.identity == other.identity
    assert one.identity.log_offset == len(LOG)


@pytest.mark.parametrize("cut", range(len(LOG)))
def test_a_restart_anywhere_gives_the_same_bits(
    make: MakeFold, bag_encoder: Encoder, cut: int
) -> None:
    whole, first = make(), make()
    folded(whole, LOG)
    folded(first, LOG[:cut])
    state = decode_state(encode_state(first.state()))
    second = Fold.from_state(state, lambda: pytest.fail("not reset"), bag_encoder)
    folded(second, LOG[cut:])
    assert second.digest() == whole.digest()
    assert second.identity == whole.identity


def test_a_fork_goes_its_own_way(make: MakeFold) -> None:
    fold = make()
    before = fold.digest()
    twin = fold.fork()
    folded(twin, LOG)
    assert (fold.digest(), fold.offset, fold.corrections) == (before, 0, 0)
    folded(fold, LOG)
    assert fold.digest() == twin.digest()


def test_a_correction_is_answered_at_once_and_after_the_refit(make: MakeFold) -> None:
    fold = make()
    assert folded(fold, [correction(1, DARK, "projector")]) == ["learned"]
    assert topic_of(fold, DARK) == "projector"
    assert folded(fold, [refit(1), refit(2)]) == ["refit", "control"]
    assert topic_of(fold, DARK) == "projector"


def test_a_repeated_correction_changes_nothing(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, DARK, "projector")])
    before = fold.digest()
    assert folded(fold, [correction(1, DARK, "projector")]) == ["repeated"]
    assert fold.digest() == before


def test_a_correction_without_text_names_its_topic_only(make: MakeFold) -> None:
    fold = make()
    assert folded(fold, [correction(1, "", "projector")]) == ["textless"]
    assert "projector" in fold.topics
    assert topic_of(fold, "vpn drops") == "net"


def test_a_priority_is_learned_by_its_own_head(make: MakeFold) -> None:
    fold = make()
    folded(fold, [a_correction(topic=None, priority="urgent", body="the building is on fire")])
    scores = fold.label(["the building is on fire"]).priority
    assert scores is not None
    assert scores.classes[int(scores.probabilities[0].argmax())] == "urgent"
    assert "urgent" not in fold.topics


def test_one_correction_is_taken_back(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, "inbox full today", "net"), refit(1)])
    assert topic_of(fold, "inbox full today") == "net"
    assert folded(fold, [undo(correction="c-1")]) == ["refit"]
    assert topic_of(fold, "inbox full today") == "mail"
    assert fold.corrections == 0


def test_what_an_undone_correction_had_replaced_counts_again(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, DARK, "projector"), correction(2, DARK, "mail", "eve"), refit(1)])
    assert topic_of(fold, DARK) == "mail"
    folded(fold, [undo(corrector="eve")])
    assert topic_of(fold, DARK) == "projector"


def test_all_of_one_actor_are_taken_back_and_no_others(make: MakeFold) -> None:
    fold = make()
    numbered = [correction(n, f"inbox full {n}", "net", "eve") for n in range(5)]
    folded(fold, [*numbered, correction(9, DARK, "projector"), refit(1)])
    folded(fold, [undo(corrector="eve")])
    assert topic_of(fold, "inbox full 3") == "mail"
    assert topic_of(fold, DARK) == "projector"
    assert fold.corrections == 1


def test_an_undone_correction_does_not_come_back_by_repetition(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, DARK, "projector"), undo(correction="c-1")])
    assert folded(fold, [correction(1, DARK, "projector")]) == ["repeated"]


def test_a_reset_works_once(make: MakeFold) -> None:
    fold = make()
    reset = LearningReset(event_id="x", received_at=NOON, actor="boss")
    folded(fold, [correction(1, DARK, "projector"), refit(1), reset])
    assert fold.digest() == make().digest()
    assert folded(fold, [correction(2, DARK, "projector"), reset]) == ["learned", "repeated"]
    assert topic_of(fold, DARK) == "projector"


def test_an_unreadable_record_moves_the_offset_only(make: MakeFold) -> None:
    fold = make()
    before = fold.digest()
    assert folded(fold, [None]) == ["unreadable"]
    assert (fold.offset, fold.digest()) == (1, before)


def test_a_named_topic_is_known_with_its_description(make: MakeFold) -> None:
    fold = make()
    created = TopicCreated(
        event_id="t", received_at=NOON, actor="kim", name="coffee", description="the machine"
    )
    folded(fold, [created])
    assert fold.topics == {"mail": "", "net": "", "coffee": "the machine"}
    assert fold.label(["x"]).topic.probabilities.shape == (1, 3)


def test_many_topics_are_named_without_disturbing_what_is_known(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(n, f"thing {n} is broken", f"thing-{n}") for n in range(60)])
    assert topic_of(fold, "vpn drops 3") == "net"
    rows = fold.label(TEXTS[:3]).topic.probabilities
    np.testing.assert_allclose(rows.sum(axis=1), 1.0, atol=1e-3)


def outcomes(fold: Fold) -> list[tuple[str, str]]:
    """What was answered and meant, from what the fold saves of its judgement."""
    return [(each[1], each[3]) for each in fold.judgement.state()["quality"]["window"]]


def test_an_answer_is_judged_before_the_correction_is_learned(make: MakeFold) -> None:
    fold = make()
    said = topic_of(fold, DARK)
    folded(fold, [correction(1, DARK, "projector")])
    assert topic_of(fold, DARK) == "projector"
    assert outcomes(fold) == [(said, "projector")]


def test_a_text_that_was_learned_is_no_test_of_the_model(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, DARK, "projector"), correction(2, DARK, "net")])
    folded(fold, [correction(1, DARK, "projector"), a_correction(event_id="c-9", priority="low")])
    assert fold.judgement.quality.judged == 1


def test_what_is_undone_judges_no_longer(make: MakeFold) -> None:
    fold = make()
    folded(fold, [correction(1, DARK, "projector", "eve"), correction(2, "inbox gone", "mail")])
    folded(fold, [undo(corrector="eve")])
    assert [label for _, label in outcomes(fold)] == ["mail"]


def unused() -> FastLabeller:
    """What a fold that begins in the middle does not ask for."""
    raise AssertionError


def test_thresholds_follow_the_classes_and_survive_a_restart(
    make: MakeFold, bag_encoder: Encoder
) -> None:
    fold = make()
    folded(fold, LOG)
    state = decode_state(encode_state(fold.state()))
    loaded = Fold.from_state(state, unused, bag_encoder)
    found, expected = loaded.label([DARK]), fold.label([DARK])
    assert found.thresholds is not None
    assert expected.thresholds is not None
    assert found.thresholds.shape == (len(found.topic.classes),)
    assert (found.thresholds == expected.thresholds).all()
    assert loaded.judgement.quality.now() == fold.judgement.quality.now()


def test_a_snapshot_from_before_error_budgets_still_loads(
    make: MakeFold, bag_encoder: Encoder
) -> None:
    fold = make()
    folded(fold, LOG)
    state = fold.state()
    del state["judgement"], state["labeller"]["topic"]["calibration"]
    loaded = Fold.from_state(decode_state(encode_state(state)), unused, bag_encoder)
    assert loaded.digest() == fold.digest()
    thresholds = loaded.label([DARK]).thresholds
    assert thresholds is not None
    assert np.isinf(thresholds).all()
