"""Words first met in live tickets: read by all workers where the log says so."""

import numpy as np
import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.domain.log_records import LogRecord
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from shared.events import WordsMet
from tests.builders import NOON
from tests.unit.classifier.models.fast.folds import DARK, MakeFold, correction, folded, refit


def words(*which: str) -> WordsMet:
    return WordsMet(event_id="w", received_at=NOON, words=which)


def test_words_met_by_one_worker_are_known_to_all_from_the_same_offset_on(make: MakeFold) -> None:
    one, other = make(), make()
    text = "gizmotron vpn"
    for _ in range(3):
        before = one.label([text]).topic.probabilities
    told = one.take_met_words()
    assert told == ["gizmotron"]
    assert other.take_met_words() == []
    log = [words(*told), correction(1, DARK, "projector"), refit(1)]
    assert folded(one, log) == folded(other, log) == ["refit", "learned", "refit"]
    assert one.digest() == other.digest()
    after = one.label([text]).topic.probabilities
    assert np.array_equal(after, other.label([text]).topic.probabilities)
    assert not np.array_equal(before, after[:, :2])


def test_what_a_worker_has_met_does_not_change_its_answers(make: MakeFold) -> None:
    one, other = make(), make()
    for _ in range(9):
        one.label(["gizmotron flummox vpn"])
    log = [correction(1, DARK, "projector"), refit(1), correction(2, "inbox gone", "net")]
    folded(one, log)
    folded(other, log)
    assert one.digest() == other.digest()
    text = ["gizmotron flummox vpn"]
    assert np.array_equal(
        one.label(text).topic.probabilities, other.label(text).topic.probabilities
    )


def test_words_that_wait_for_their_refit_survive_a_restart(
    make: MakeFold, bag_encoder: Encoder
) -> None:
    whole, first = make(), make()
    folded(whole, [words("gizmotron")])
    assert first.apply(LogRecord(0, words("gizmotron"))) == "refit"
    state = decode_state(encode_state(first.state()))
    second = Fold.from_state(state, lambda: pytest.fail("not reset"), bag_encoder)
    second.refit()
    text = ["gizmotron"]
    answer = second.label(text).topic.probabilities
    assert np.array_equal(answer, whole.label(text).topic.probabilities)
    assert not np.array_equal(answer, make().label(text).topic.probabilities)
