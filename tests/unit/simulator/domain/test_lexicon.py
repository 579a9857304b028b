"""The words: complete in both languages, and every template can be said."""

import random

import pytest

from services.simulator.domain.helpdesk import NEW_TOPIC, TOPICS
from services.simulator.domain.lexicon import Lexicon, Phrases
from services.simulator.domain.tickets import LANGUAGES


@pytest.fixture(params=sorted(LANGUAGES))
def lexicon(request: pytest.FixtureRequest) -> Lexicon:
    return Lexicon.load(request.param)


def test_has_every_topic(lexicon: Lexicon) -> None:
    assert lexicon.topics.keys() == {*TOPICS, NEW_TOPIC}
    assert lexicon.impact.keys() == {"one", "team", "all"}
    assert lexicon.deadline.keys() == {"relaxed", "soon", "now"}


def test_every_template_can_be_said(lexicon: Lexicon) -> None:
    rng = random.Random(1)
    other = lexicon.topics["vpn"]
    topical = [
        template
        for phrases in lexicon.topics.values()
        for group in Phrases.model_fields
        for template in getattr(phrases, group)
    ]
    framing = [
        *lexicon.greetings, *lexicon.closings, *lexicon.signatures, *lexicon.contexts,
        *lexicon.herrings, *lexicon.besides, *lexicon.vague,
    ]  # fmt: skip
    graded = [
        t for group in (lexicon.impact, lexicon.deadline) for ts in group.values() for t in ts
    ]
    for template in topical + framing + graded:
        for _ in range(5):
            said = lexicon.say(template, rng, about=other)
            assert said
            assert not set("[]{}|") & set(said) or " | " in template, said


def test_choices_nest() -> None:
    lexicon = Lexicon.load("en")
    said = {lexicon.say("a[b[c|d]|e]", random.Random(seed)) for seed in range(30)}
    assert said == {"abc", "abd", "ae"}
