"""Slips of the finger."""

import random

from services.simulator.domain.typos import mistype


def test_slips_change_longer_words_a_little() -> None:
    text = "the printer on the second floor swallows every document"
    slipped = mistype(text, random.Random(1), 1.0)
    pairs = list(zip(text.split(), slipped.split(), strict=True))
    assert all(abs(len(a) - len(b)) <= 1 for a, b in pairs)
    assert all(a == b for a, b in pairs if len(a) <= 4)
    assert sum(a != b for a, b in pairs) >= 4


def test_careful_people_do_not_slip() -> None:
    assert mistype("nothing changes here", random.Random(1), 0.0) == "nothing changes here"
