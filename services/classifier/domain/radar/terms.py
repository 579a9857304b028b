"""What a group of tickets is about, in its own words: those much more frequent in it than usual."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from math import log
from typing import Any, Final

# Letters only: numbers name tickets and machines, not topics.
_WORD: Final = re.compile(r"[^\W\d_]+")
# Scripts written without blanks start about here; two characters are a word there.
_IDEOGRAPHS: Final = "\u2e80"
_LONGEST: Final = 40
_READ: Final = 2_000
_VOCABULARY: Final = 20_000
_PHRASES: Final = 200
# Of a group's tickets that must hold a phrase before it says anything about the group.
_LEAST_SHARE: Final = 0.2
# Two words say more than one.
_PAIR_BONUS: Final = 1.25


def words(text: str) -> list[str]:
    """Words of two letters or more in their order, case-folded, of the text's first 2,000."""
    found: list[str] = []
    for run in _WORD.findall(text[:_READ].casefold()):
        if run[0] >= _IDEOGRAPHS:
            found += (run[at : at + 2] for at in range(max(len(run) - 1, 1)))
        elif len(run) > 1:
            found.append(run[:_LONGEST])
    return found


def phrases(found: list[str]) -> set[str]:
    """Each word and each pair of neighbours once."""
    return set(found) | {f"{first} {second}" for first, second in pairwise(found)}


class Background:
    """In how many tickets each word stands; bounded, the rarest and oldest words forgotten."""

    def __init__(self, counts: Mapping[str, int] | None = None, tickets: int = 0) -> None:
        self._counts = Counter(counts or {})
        self._tickets = tickets

    def add(self, found: list[str]) -> None:
        """One more ticket of these words."""
        self._tickets += 1
        self._counts.update(set(found))
        if len(self._counts) > _VOCABULARY:
            self._tickets //= 2
            self._counts = Counter({w: n // 2 for w, n in self._counts.items() if n > 1})

    def rarity(self, phrase: str) -> float:
        """Logarithm of one over the share of tickets that hold it; a pair's commoner word's."""
        return min(log((2 + self._tickets) / (1 + self._counts[w])) for w in phrase.split(" "))

    def state(self) -> dict[str, Any]:
        """Plain values for `Background(**state)`."""
        return {"counts": dict(self._counts), "tickets": self._tickets}


def prune(counts: Counter[str]) -> None:
    """Keep the most frequent phrases where there are too many; ties by alphabet."""
    if len(counts) > 2 * _PHRASES:
        kept = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_PHRASES]
        counts.clear()
        counts.update(dict(kept))


def top_terms(
    counts: Mapping[str, int], tickets: int, background: Background, most: int = 8
) -> list[str]:
    """The most telling phrases, no word in two of them.

    counts: in how many of the group's `tickets` each phrase stands.
    """
    ranked = sorted(_scored(counts, tickets, background), key=lambda item: (-item[0], item[1]))
    chosen: list[str] = []
    taken: set[str] = set()
    for _, phrase in ranked:
        parts = phrase.split(" ")
        if len(chosen) < most and taken.isdisjoint(parts):
            chosen.append(phrase)
            taken.update(parts)
    return chosen


def _scored(
    counts: Mapping[str, int], tickets: int, background: Background
) -> Iterator[tuple[float, str]]:
    for phrase, count in counts.items():
        if count > 1 and count >= _LEAST_SHARE * tickets:
            bonus = _PAIR_BONUS if " " in phrase else 1.0
            yield bonus * count * background.rarity(phrase), phrase


def proposed_name(terms: list[str]) -> str:
    """A pair names a topic alone, a word together with the next term; never empty."""
    if not terms:
        return "emerging topic"
    return terms[0] if " " in terms[0] else " ".join(terms[:2])
