"""Near-duplicates: alike in any language, never oneself, bounded memory."""

import numpy as np
import pytest

from services.classifier.domain.languages import language_of
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.semantic.neighbours import Nearness, Newcomer, RecentTickets
from services.classifier.models.semantic.sketches import sketches
from services.classifier.models.semantic.usual import UsualCentre

UP, NEARLY_UP, RIGHT = [1.0, 0.0], [0.9, float(np.sqrt(1 - 0.81))], [0.0, 1.0]


def meet(
    ring: RecentTickets, *tickets: tuple[str, list[float]], language: str | None = None
) -> list[str | None]:
    """Ids of the neighbours of tickets given as (id, vector)."""
    vectors = np.array([vector for _, vector in tickets], np.float32)
    nothing = np.zeros((len(tickets), 256), np.float32)
    found = ring.meet([Newcomer(name, language) for name, _ in tickets], vectors, nothing)
    return [None if each is None else each.ticket_id for each in found]


@pytest.fixture
def ring() -> RecentTickets:
    return RecentTickets(4, 2)


def test_the_nearest_earlier_ticket_is_found(ring: RecentTickets) -> None:
    assert meet(ring, ("a", UP), ("b", RIGHT)) == [None, None]
    assert meet(ring, ("c", NEARLY_UP)) == ["a"]
    assert meet(ring, ("d", NEARLY_UP)) == ["c"]


def test_tickets_of_one_batch_see_those_before_them(ring: RecentTickets) -> None:
    assert meet(ring, ("a", UP), ("b", UP), ("c", RIGHT)) == [None, "a", None]


def test_a_ticket_is_not_like_itself(ring: RecentTickets) -> None:
    assert meet(ring, ("a", UP), ("a", UP)) == [None, None]
    assert meet(ring, ("a", UP)) == [None]
    assert meet(ring, ("b", UP)) == ["a"]


def test_the_oldest_is_forgotten(ring: RecentTickets) -> None:
    meet(ring, ("a", UP), ("b", RIGHT), ("c", [-1.0, 0.0]), ("d", [0.0, -1.0]))
    assert len(ring) == 4
    assert meet(ring, ("e", RIGHT)) == ["b"]  # in the place of a
    assert meet(ring, ("f", UP)) == [None]
    assert len(ring) == 4


def test_a_text_of_nothing_is_like_nothing(ring: RecentTickets) -> None:
    assert meet(ring, ("a", [0.0, 0.0]), ("b", [0.0, 0.0])) == [None, None]
    assert len(ring) == 0


def test_a_translation_need_not_come_as_near() -> None:
    ring = RecentTickets(4, 2, Nearness(same_language=0.95, other_language=0.8))
    meet(ring, ("a", UP), language="en")
    assert meet(ring, ("b", NEARLY_UP), language="en-GB") == [None]
    ring = RecentTickets(4, 2, Nearness(same_language=0.95, other_language=0.8))
    meet(ring, ("a", UP), language="en")
    assert meet(ring, ("b", NEARLY_UP), language="de") == ["a"]
    ring = RecentTickets(4, 2, Nearness(same_language=0.95, other_language=0.8))
    meet(ring, ("a", UP), language="en")
    assert meet(ring, ("b", NEARLY_UP)) == [None]  # a language nobody knows is no other one


def test_many_at_once_are_what_they_are_one_by_one() -> None:
    vectors = np.random.default_rng(0).standard_normal((2_500, 4)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    names = [Newcomer(f"T-{n}", None) for n in range(2_500)]
    nearness = Nearness(same_language=0.99)
    whole, single = RecentTickets(5_000, 4, nearness), RecentTickets(5_000, 4, nearness)
    nothing = np.zeros((2_500, 256), np.float32)
    together = whole.meet(names, vectors, nothing)
    alone = [single.meet([n], v[None], nothing[:1])[0] for n, v in zip(names, vectors, strict=True)]
    assert [each and each.ticket_id for each in together] == [
        each and each.ticket_id for each in alone
    ]
    assert sum(each is not None for each in together) > 100


def test_the_same_spelling_is_enough(ring: RecentTickets) -> None:
    alike = sketches(["the projector stays dark", "the projector stay dark", "no wifi"])
    vectors = np.array([UP, RIGHT, [-1.0, 0.0]], np.float32)
    found = ring.meet([Newcomer(name, None) for name in "abc"], vectors, alike)
    assert found[1] is not None
    assert (found[1].ticket_id, found[1].similarity) == ("a", 0.0)
    assert found[2] is None


def links(encoder: Encoder, *texts: str, ring: RecentTickets | None = None) -> list[str | None]:
    """Which of the texts each of them is linked to, as the worker would."""
    vectors = UsualCentre(encoder).centred(encoder.encode(texts))
    newcomers = [Newcomer(text, language_of(text)) for text in texts]
    met = RecentTickets() if ring is None else ring
    found = met.meet(newcomers, vectors, sketches(texts))
    return [None if each is None else each.ticket_id for each in found]


COMPLAINTS = {
    "lift": (
        "The elevator in building B is stuck between two floors",
        "Der Aufzug in Gebäude B steckt zwischen zwei Etagen fest",
        "Лифт в здании B застрял между двумя этажами",
    ),
    "double": (
        "You charged my credit card twice for the same order",
        "Sie haben meine Kreditkarte für dieselbe Bestellung zweimal belastet",
        "Вы дважды списали деньги с моей кредитной карты за один и тот же заказ",
    ),
    "vpn": (
        "The VPN connection drops every few minutes",
        "Die VPN-Verbindung bricht alle paar Minuten ab",
        "VPN-соединение обрывается каждые несколько минут",
    ),
    "refund": (
        "I would like to return the shoes because they are too small",
        "Ich möchte die Schuhe zurückgeben, weil sie zu klein sind",
        "Хочу вернуть туфли, потому что они мне малы",
    ),
}


def test_the_same_complaint_is_linked_across_languages(universal_encoder: Encoder) -> None:
    ring = RecentTickets()
    english, german, russian = (
        links(universal_encoder, *(versions[place] for versions in COMPLAINTS.values()), ring=ring)
        for place in range(3)
    )
    assert english == [None] * 4
    assert german == [versions[0] for versions in COMPLAINTS.values()]
    for found, versions in zip(russian, COMPLAINTS.values(), strict=True):
        assert found in versions[:2]


def test_another_complaint_about_the_same_thing_is_not_linked(universal_encoder: Encoder) -> None:
    assert links(
        universal_encoder,
        "The printer on the second floor does not print",
        "Please order new toner for the printer",
        "Wo kann ich einen Drucker kaufen?",
        "Принтер слишком шумный",
    ) == [None] * 4  # fmt: skip


def test_greetings_and_typing_errors_do_not_hide_a_duplicate(universal_encoder: Encoder) -> None:
    first = "The projector in the meeting room stays dark"
    for again in (
        "Hello,\nthe projector in the meeting rom stays dark!\nKind regards,\nKim Lee",
        "THE PROJECTOR IN THE MEETING ROOM STAYS DARK",
        "projector in the meting room stays drak",
    ):
        assert links(universal_encoder, first, again) == [None, first]
