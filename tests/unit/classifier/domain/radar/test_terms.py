"""What a group of tickets is about, in its own words."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.classifier.domain.radar.terms import (
    Background,
    phrases,
    proposed_name,
    prune,
    top_terms,
    words,
)

USUAL = [f"please help the {thing} is broken" for thing in ("vpn", "mail", "phone", "badge")] * 20


def telling(texts: list[str], usual: list[str]) -> list[str]:
    background, counts = Background(), Counter[str]()
    for text in usual + texts:
        background.add(words(text))
    for text in texts:
        counts.update(phrases(words(text)))
    return top_terms(counts, len(texts), background)


def test_the_words_that_are_special_come_first() -> None:
    texts = [f"the projector in room {n} is broken please help" for n in range(10)]
    first = " ".join(telling(texts, USUAL)[:2]).split(" ")
    assert set(first) == {"projector", "in", "room"}


def test_a_pair_outweighs_its_words_where_it_is_as_frequent() -> None:
    texts = ["please order vegan food", "vegan food is broken", "help with vegan food"] * 3
    assert telling(texts, USUAL)[0] == "vegan food"


def test_no_word_is_in_two_terms() -> None:
    found = telling(["coffee machine leaks water", "coffee machine has no water"] * 5, USUAL)
    parts = [word for term in found for word in term.split(" ")]
    assert len(parts) == len(set(parts))


def test_one_spelling_whatever_the_case_and_script() -> None:
    assert words("Straße STRASSE 12 x") == ["strasse", "strasse"]
    assert words("Счёт №5 не приходит") == ["счёт", "не", "приходит"]
    assert words("打印机坏了") == ["打印", "印机", "机坏", "坏了"]


def test_a_long_text_is_read_in_part() -> None:
    assert len(words("ab " * 100_000)) < 1_000
    assert max(map(len, words("a" * 100_000))) <= 40


def test_names() -> None:
    assert proposed_name(["vegan food", "menu"]) == "vegan food"
    assert proposed_name(["projector", "menu", "x"]) == "projector menu"
    assert proposed_name(["projector"]) == "projector"
    assert proposed_name([]) == "emerging topic"


def test_the_background_is_bounded_and_keeps_what_is_frequent() -> None:
    background = Background()
    for number in range(30_000):
        background.add(["often", f"w{number:x}".replace("1", "z")])
    assert len(background.state()["counts"]) <= 20_000
    assert background.rarity("often") < background.rarity("never")
    again = Background(**background.state())
    assert again.state() == background.state()


def test_phrases_are_bounded() -> None:
    counts = Counter({f"w{number}": 1 for number in range(5_000)}) + Counter({"often": 9})
    prune(counts)
    assert len(counts) <= 400
    assert counts["often"] == 9


@given(st.lists(st.text(max_size=200), min_size=1, max_size=12))
def test_any_text_has_a_name(texts: list[str]) -> None:
    name = proposed_name(telling(texts, []))
    assert 0 < len(name) <= 100
    assert name.isprintable()
