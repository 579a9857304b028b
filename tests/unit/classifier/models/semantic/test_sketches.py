"""Sketches: the same letters are near, whatever surrounds them; nothing is near to nothing."""

import numpy as np
import pytest

from services.classifier.models.semantic.sketches import sketches

TEXT = "My card was charged twice for one payment"


def cosine(one: str, other: str) -> float:
    first, second = sketches([one, other])
    return float(first @ second)


@pytest.mark.parametrize(
    "again",
    [
        TEXT,
        TEXT.upper(),
        f"Hello,\n{TEXT}.\nKind regards,\nKim",
        TEXT.replace(" ", "  \n"),
        TEXT.replace("charged", "chraged"),
        TEXT.replace(" twice", ""),
    ],
)
def test_the_same_said_again_is_near(again: str) -> None:
    assert cosine(TEXT, again) > 0.75


@pytest.mark.parametrize(
    "other",
    [
        "My card was stolen", "Wie ändere ich meine Adresse?", "Карта не работает",
        "How long does a payment take to arrive?",
    ],
)  # fmt: skip
def test_something_else_is_not(other: str) -> None:
    assert cosine(TEXT, other) < 0.5


def test_a_sketch_does_not_depend_on_its_batch() -> None:
    assert np.array_equal(sketches([TEXT, "vpn"])[0], sketches([TEXT])[0])
    assert np.linalg.norm(sketches([TEXT])[0]) == pytest.approx(1.0)


@pytest.mark.parametrize("text", ["", " \n", "\u200b", "a"])
def test_a_text_of_nothing_is_near_to_nothing(text: str) -> None:
    assert cosine(text, text) in (0.0, pytest.approx(1.0))
    assert cosine(text, TEXT) < 0.5


def test_bad_text_has_a_sketch() -> None:
    assert np.isfinite(sketches(["\ud800", "x" * 1_000_000, "🖨" * 50])).all()
