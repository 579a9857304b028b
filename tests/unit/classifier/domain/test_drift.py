"""The drift detector is river's ADWIN, kept over a restart and bounded."""

import random

import pytest
from river import drift

from services.classifier.domain.drift import ErrorDrift


def errors(seed: int = 1) -> list[bool]:
    generator = random.Random(seed)
    rates = [0.1] * 3_000 + [0.3] * 1_500 + [0.05] * 1_500
    return [generator.random() < rate for rate in rates]


def changes(detector: ErrorDrift, stream: list[bool]) -> list[int]:
    return [at for at, wrong in enumerate(stream) if detector.update(wrong=wrong)]


def test_it_notices_when_river_does() -> None:
    river = drift.ADWIN()
    expected = []
    for at, wrong in enumerate(errors()):
        river.update(int(wrong))
        if river.drift_detected:
            expected.append(at)
    assert expected
    assert changes(ErrorDrift(), errors()) == expected


def test_a_change_says_how_often_it_errs_before_and_lately() -> None:
    detector = ErrorDrift()
    found = [change for wrong in errors() if (change := detector.update(wrong=wrong))]
    assert [change.after > change.before for change in found] == [True, False]
    assert found[0].before == pytest.approx(0.1, abs=0.03)
    assert found[0].after > 0.2


@pytest.mark.parametrize("cut", [0, 1, 3_005, 4_600])
def test_saved_or_copied_it_goes_on_as_if_nothing_had_happened(cut: int) -> None:
    stream = errors()
    whole, begun = ErrorDrift(), ErrorDrift()
    expected = changes(whole, stream)
    first = changes(begun, stream[:cut])
    for resumed in (ErrorDrift.from_state(begun.state()), begun.copy()):
        assert first + [cut + at for at in changes(resumed, stream[cut:])] == expected


def test_a_stream_that_never_changes_is_forgotten_in_part() -> None:
    detector = ErrorDrift()
    for _ in range(45_000):
        assert detector.update(wrong=False) is None
    assert len(detector.state()) < 20_000
    assert changes(detector, [True] * 500)
