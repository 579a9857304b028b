"""Second looks in batches: everyone gets his own, in order, whatever an observer does."""

import asyncio
import threading

import numpy as np
import pytest
from numpy.typing import NDArray

from services.classifier.domain.observing import VectorObserver
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.folding import Fold
from services.classifier.models.semantic.neighbours import RecentTickets
from services.classifier.models.semantic.usual import UsualCentre
from services.classifier.semantic.looking import SecondLooks
from shared.events import TicketLabelled
from tests.builders import a_label
from tests.deadlines import eventually


class Notes:
    """A VectorObserver that writes down what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, NDArray[np.float32], float]] = []

    def observe(self, ticket: TicketLabelled, vector: NDArray[np.float32], novelty: float) -> None:
        self.told.append((ticket.ticket_id, vector, novelty))


class Broken:
    """A VectorObserver that fails."""

    def observe(self, ticket: TicketLabelled, vector: NDArray[np.float32], novelty: float) -> None:
        raise ValueError(ticket.ticket_id)


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def looks(fold: Fold, encoder: Encoder, notes: Notes) -> SecondLooks:
    recent = RecentTickets(100)
    observers: list[VectorObserver] = [Broken(), notes]
    return SecondLooks(lambda: fold, recent, UsualCentre(encoder), observers, gather_seconds=0.01)


def tickets(*bodies: str, start: int = 0) -> list[TicketLabelled]:
    return [a_label(start + n, subject="", body=body) for n, body in enumerate(bodies)]


def test_other_languages_are_labelled_by_english_examples(looks: SecondLooks) -> None:
    seen = looks.look_now(
        tickets("Der Drucker hat Papierstau", "Я забыл пароль", "das Internet ist langsam")
    )
    assert [each.opinion.topics[each.opinion.best] for each in seen] == [
        "printing", "access", "network",
    ]  # fmt: skip
    assert {each.model.version for each in seen} == {"v1"}


def test_an_earlier_ticket_that_says_the_same_is_named(looks: SecondLooks) -> None:
    first, second = "Der Beamer im großen Saal ist dunkel", "The projector in the hall is dark"
    seen = looks.look_now(tickets("the wifi is slow", first, "cannot log in", second))
    assert [[alike.ticket_id for alike in each.similar] for each in seen] == [[], [], [], ["T-1"]]
    assert 0.6 < seen[3].similar[0].similarity <= 1.0


def test_observers_are_told_of_each_text_in_order_and_of_nothing_of_none(
    looks: SecondLooks, notes: Notes
) -> None:
    looks.look_now(tickets("printer jam", "", "qwertz uiop asdf", "printer jam again"))
    assert [name for name, _, _ in notes.told] == ["T-0", "T-2", "T-3"]
    assert all(abs(np.linalg.norm(vector) - 1.0) < 1e-4 for _, vector, _ in notes.told)
    cosine = float(notes.told[0][1] @ notes.told[2][1])
    assert cosine > 0.7 > abs(float(notes.told[0][1] @ notes.told[1][1]))


async def test_all_who_wait_get_their_own(looks: SecondLooks, notes: Notes) -> None:
    answers = await asyncio.gather(
        looks.look(tickets("printer jam", "wifi slow")),
        looks.look(tickets("password lost", start=10)),
        looks.look([]),
    )
    found = [[each.ticket.ticket_id for each in part] for part in answers]
    assert found == [["T-0", "T-1"], ["T-10"], []]
    assert len(notes.told) == 3
    assert looks.cost.seconds_per_ticket > 0.0
    assert 0.0 < looks.cost.granted <= 1.0
    [later] = await looks.look(tickets("printer jam", start=20))
    assert [alike.ticket_id for alike in later.similar] == ["T-0"]


async def test_what_fails_fails_for_those_who_asked(encoder: Encoder) -> None:
    def no_fold() -> Fold:
        raise OSError("no model")

    looks = SecondLooks(
        no_fold, RecentTickets(10), UsualCentre(encoder), [], gather_seconds=0.01
    )  # fmt: skip
    both = await asyncio.gather(
        looks.look(tickets("a")), looks.look(tickets("b")), return_exceptions=True
    )
    assert [type(each) for each in both] == [OSError, OSError]


async def test_a_look_under_way_is_watched_and_one_that_ended_is_not(
    fold: Fold, encoder: Encoder
) -> None:
    held = threading.Event()

    def slow_fold() -> Fold:
        held.wait()
        return fold

    looks = SecondLooks(
        slow_fold, RecentTickets(10), UsualCentre(encoder), [], gather_seconds=0.01
    )  # fmt: skip
    assert looks.silence() == 0.0
    under_way = asyncio.create_task(looks.look(tickets("printer jam")))
    try:
        await eventually(lambda: looks.silence() > 0.0, what="the look is under way")
        assert not under_way.done()
    finally:
        held.set()
    await under_way
    assert looks.silence() == 0.0
