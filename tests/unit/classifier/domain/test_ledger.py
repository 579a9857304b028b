"""What the ledger remembers of the log, and what it forgets."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.classifier.adapters.model_files import decode_state, encode_state
from services.classifier.domain.ledger import CHARACTERS, Correction, Ledger
from shared.events import TicketCorrected
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


def cut(columns: dict[str, Any], *path: str) -> None:
    *folders, name = path
    for folder in folders:
        columns = columns[folder]
    columns[name] = columns[name][:1]


@pytest.mark.parametrize(
    "path", [("offsets",), ("ids", "ends"), ("texts", "keys"), ("actors", "codes")]
)
def test_a_state_with_a_column_cut_short_is_none(path: tuple[str, ...]) -> None:
    ledger = Ledger()
    entered(ledger, 1)
    entered(ledger, 2, topic=None, priority="high")
    state = ledger.state()
    assert list(Ledger.from_state(state).standing()) == list(ledger.standing())
    cut(state["sealed"]["segments"]["0"], *path)
    with pytest.raises(ValueError, match="one length"):
        Ledger.from_state(state)


def test_a_state_that_names_nobody_or_says_not_what_stands_is_none() -> None:
    ledger = Ledger()
    entered(ledger, 1)
    state = ledger.state()
    state["sealed"]["alive"] = state["sealed"]["alive"][:0]
    with pytest.raises(ValueError, match="stands"):
        Ledger.from_state(state)
    state = ledger.state()
    state["sealed"]["segments"]["0"]["topics"]["names"] = []
    with pytest.raises(ValueError, match="without a name"):
        Ledger.from_state(state)


@dataclass
class PlainLedger:
    """The same with nothing but mappings: what the compact one must agree with."""

    most: int
    standing: dict[str, Correction] = field(default_factory=dict)
    heard: dict[str, None] = field(default_factory=dict)

    def add(self, event: TicketCorrected, offset: int) -> Correction | None:
        if event.event_id in self.standing or event.event_id in self.heard:
            return None
        found = Correction(event.actor, event.body or "", event.topic, event.priority, offset)
        self.standing[event.event_id] = found
        for known in list(self.standing)[: -self.most]:
            del self.standing[known]
        return found

    def undo(self, event_id: str | None, actor: str | None) -> dict[str, Correction]:
        undone = {
            known: each
            for known, each in self.standing.items()
            if known == event_id or (actor is not None and each.actor == actor)
        }
        for known in undone:
            del self.standing[known]
            self.heard[known] = None
        for known in list(self.heard)[: -self.most]:
            del self.heard[known]
        return undone


EVENTS, ACTORS = [f"c-{n}" for n in range(12)], ["kim", "eve", "ann"]
SAID = ["dark", "printer \ud83d", "dark again", "nul \x00 in it", "Ölstand"]
said = st.tuples(st.sampled_from(EVENTS), st.sampled_from(ACTORS), st.sampled_from(SAID),
                 st.sampled_from([None, "lamp", "net"]))  # fmt: skip
undone = st.one_of(
    st.tuples(st.sampled_from(EVENTS), st.none()), st.tuples(st.none(), st.sampled_from(ACTORS))
)
resumed = st.sampled_from(["copied", "saved"])


@given(
    steps=st.lists(st.one_of(said, said, said, undone, resumed), max_size=60),
    latest=st.sampled_from([1, 2, 3, 100]),
    most=st.sampled_from([4, 7, 100]),
)
def test_it_says_what_plain_mappings_would(steps: list[Any], latest: int, most: int) -> None:
    ledger, plain = Ledger(most, latest=latest), PlainLedger(most)
    for offset, step in enumerate(steps):
        if step == "copied":
            left, ledger = ledger, ledger.copy()
            left.undo(None, ACTORS[0])  # a copy has nothing to do with what it was copied from
        elif step == "saved":
            saved = Ledger.from_state(decode_state(encode_state(ledger.state())))
            assert list(saved.standing()) == list(plain.standing.values())
            ledger = saved if most == 100 else ledger
        elif len(step) == 2:
            assert list(ledger.undo(*step).items()) == list(plain.undo(*step).items())
        else:
            event_id, actor, body, topic = step
            event = a_correction(
                event_id=event_id, actor=actor, subject="", body=body, topic=topic, priority="low"
            )
            assert ledger.add(event, offset) == plain.add(event, offset)
        assert list(ledger.standing()) == list(plain.standing.values())
        assert len(ledger) == len(plain.standing)
    texts = [each.text for each in plain.standing.values()]
    for text in SAID:
        assert ledger.repeats(text) == (texts.count(text) > 1)
    some = set(SAID[:2])
    assert list(ledger.latest(some)) == [e for e in plain.standing.values() if e.text in some]
