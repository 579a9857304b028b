"""What a topic's name and description say: its first examples, before anybody gave one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

# A name is no sentence; in these it is encoded like what customers write.
_SPOKEN_IN: Final = (
    "{}", "i have a question about {}", "{} problem", "how do i {}?", "my {}",
    "please help me with {}",
)  # fmt: skip
# Half an example each: flat between a sixth and one on sets with 0 to 10 examples of a topic.
_SENTENCE_WEIGHT: Final = 0.5
# Somebody wrote it down: as much as all that is made of the name.
_DESCRIPTION_WEIGHT: Final = 3.0


@dataclass(frozen=True, slots=True)
class NamedExample:
    """A sentence that stands for a topic; `weight` is in examples."""

    text: str
    column: int
    weight: float


def named_examples(
    names: Sequence[str], columns: Sequence[int], descriptions: Mapping[str, str]
) -> list[NamedExample]:
    """The examples that the topics of these columns of `names` have by being called so."""
    found = []
    for column in columns:
        words = spoken(names[column])
        found += [NamedExample(s.format(words), column, _SENTENCE_WEIGHT) for s in _SPOKEN_IN]
        description = descriptions.get(names[column], "")
        if description.strip():
            found.append(NamedExample(description, column, _DESCRIPTION_WEIGHT))
    return found


def spoken(name: str) -> str:
    """A class name as one would say it: "card_not_working" and "cardNotWorking" are words."""
    characters = []
    for i, c in enumerate(name):
        if c.isupper() and i and name[i - 1].islower():
            characters.append(" ")
        characters.append(" " if c in "_-/.:" else c)
    return " ".join("".join(characters).split()).lower()
