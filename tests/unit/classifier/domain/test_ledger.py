"""What the ledger remembers of the log, and what it forgets."""

import pytest

from services.classifier.domain.ledger import CHARACTERS, Ledger
from tests.builders import a_correction


def entered(ledger: Ledger, number: int, **changes: object) -> None:
    assert ledger.add(a_correction(event_id=f"c-{number}", body="dark", **changes)) is not None


def test_a_repeated_event_is_refused() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    assert ledger.add(a_correction(event_id="c-1")) is None
    assert len(ledger) == 1


def test_a_queue_alone_teaches_nothing() -> None:
    correction = Ledger().add(a_correction(topic=None, queue="IT", body="dark"))
    assert correction is not None
    assert correction.text == ""


def test_blanks_are_no_text() -> None:
    correction = Ledger().add(a_correction(subject=" ", body="\n"))
    assert correction is not None
    assert correction.text == ""


def test_the_oldest_is_forgotten_first() -> None:
    ledger = Ledger(most=2)
    for number in range(3):
        entered(ledger, number)
    assert len(ledger) == 2
    assert ledger.undo("c-0", None) == {}
    assert len(ledger.undo("c-1", None)) == 1


def test_undoing_nothing_in_particular_undoes_nothing() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    assert ledger.undo(None, None) == {}


def test_a_saved_ledger_is_the_same() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    entered(ledger, 2, actor="eve")
    ledger.undo(None, "eve")
    assert ledger.hear("reset")
    for twin in (ledger.copy(), Ledger.from_state(ledger.state())):
        assert list(twin.standing()) == list(ledger.standing())
        assert twin.add(a_correction(event_id="c-2")) is None
        assert not twin.hear("reset")


def test_a_text_repeats_while_two_standing_corrections_are_of_it() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    assert not ledger.repeats("dark")
    entered(ledger, 2)
    assert ledger.repeats("dark")
    assert Ledger.from_state(ledger.state()).repeats("dark")
    ledger.undo("c-1", None)
    assert not ledger.repeats("dark")


def test_of_a_long_text_what_the_models_read_is_kept() -> None:
    found = Ledger().add(a_correction(body="x" * 1_000_000))
    assert found is not None
    assert len(found.text) == CHARACTERS


def test_a_state_with_a_column_cut_short_is_none() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    entered(ledger, 2, topic=None, priority="high")
    state = ledger.state()
    assert list(Ledger.from_state(state).standing()) == list(ledger.standing())
    for name in ("ids", "texts", "offsets"):
        with pytest.raises(ValueError, match="zip"):
            Ledger.from_state({**state, name: state[name][:1]})
    with pytest.raises(LookupError):
        Ledger.from_state({**state, "topics": {**state["topics"], "names": []}})
