"""The serving model: saved, loaded and copied, it answers and learns on bit for bit."""

import numpy as np
import pytest

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.heads import TextHead
from services.classifier.models.fast.serving import FastLabeller

TEXTS = [f"{text} {n}" for n in range(40) for text in ("vpn drops", "inbox full", "no wifi")]
TOPICS = ["net", "mail", "net"] * 40
PRIORITIES = ["high", "low", "high"] * 40
PROBES = ["the vpn drops again", "inbox", "wifi in the café", ""]


@pytest.fixture
def labeller(bag_encoder: Encoder) -> FastLabeller:
    return FastLabeller.train(TEXTS, TOPICS, PRIORITIES, encoder=bag_encoder)


def loaded(labeller: FastLabeller, encoder: Encoder | None = None) -> FastLabeller:
    """The same through bytes and back."""
    state = decode_state(encode_state(labeller.state()))
    return FastLabeller.from_state(state, "v1", encoder)


def learned(head: TextHead) -> TextHead:
    head.correct("the projector is dark", "projector")
    head.correct("my inbox is gone", "projector")
    head.withdraw("my inbox is gone")
    head.refit()
    head.correct("the beamer is dark", "projector")
    return head


def test_a_loaded_model_answers_bit_for_bit(labeller: FastLabeller, bag_encoder: Encoder) -> None:
    ours, theirs = labeller.label(PROBES), loaded(labeller, bag_encoder).label(PROBES)
    np.testing.assert_array_equal(theirs.topic.probabilities, ours.topic.probabilities)
    assert theirs.topic.classes == ours.topic.classes == ("mail", "net")
    assert ours.priority is not None
    assert theirs.priority is not None
    np.testing.assert_array_equal(theirs.priority.probabilities, ours.priority.probabilities)


def test_a_loaded_model_is_what_its_digest_says(
    labeller: FastLabeller, bag_encoder: Encoder
) -> None:
    assert loaded(labeller, bag_encoder).identity.digest == labeller.identity.digest


def test_a_loaded_model_learns_on_bit_for_bit(labeller: FastLabeller, bag_encoder: Encoder) -> None:
    theirs = learned(loaded(labeller, bag_encoder).topic)
    assert learned(labeller.topic).digest(PROBES) == theirs.digest(PROBES)
    assert theirs.classes == ("mail", "net", "projector")


def test_a_model_saved_after_learning_is_the_same_too(
    labeller: FastLabeller, bag_encoder: Encoder
) -> None:
    learned(labeller.topic)
    assert loaded(labeller, bag_encoder).topic.digest(PROBES) == labeller.topic.digest(PROBES)


def test_a_copy_learns_apart(labeller: FastLabeller) -> None:
    before = labeller.topic.digest(PROBES)
    twin = learned(labeller.topic.fork())
    assert labeller.topic.digest(PROBES) == before
    assert learned(labeller.topic).digest(PROBES) == twin.digest(PROBES) != before


def test_priorities_are_optional() -> None:
    labeller = FastLabeller.train(TEXTS, TOPICS)
    assert labeller.priority is None
    assert loaded(labeller).label(PROBES).priority is None


def test_texts_without_a_word_cannot_be_learned_from() -> None:
    with pytest.raises(ValueError, match="no text holds a word"):
        FastLabeller.train(["...", ""], ["a", "b"])


def test_a_refit_does_not_forget_what_the_memory_had_no_room_for() -> None:
    draw = np.random.default_rng(5)
    words = ["".join(draw.choice(list("abcdefghijklmnop"), 7)) for _ in range(600)]
    texts, labels = words * 2, [("left", "right")[n % 2] for n in range(600)] * 2
    head = TextHead()
    head.fit(texts, labels)

    def right() -> float:
        answers = head.predict_proba(texts)[:, :2].argmax(axis=1)
        return float(np.mean([head.classes[a] == y for a, y in zip(answers, labels, strict=True)]))

    before = right()
    for n in range(5):
        head.correct(f"the projector in room {n} is dark", "projector")
    head.refit()
    assert head.refused_refits == 0
    assert right() >= before - 0.01
    assert head.classes[int(head.predict_proba(["the projector is dark"]).argmax())] == "projector"
