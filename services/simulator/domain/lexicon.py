"""The words of the made-up helpdesk, and the little grammar that puts them together."""

import random
import re
from importlib import resources
from typing import Self

from pydantic import BaseModel, ConfigDict

# "[a|b|]" is one of three, "{slot}" a word of that slot; both nest.
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_SLOT = re.compile(r"\{(\w+)\}")


class Phrases(BaseModel):
    """What people write about one topic."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subjects: tuple[str, ...]
    problems: tuple[str, ...]
    details: tuple[str, ...]
    # Clauses and nouns for red herrings in tickets about something else.
    fine: tuple[str, ...]
    past: tuple[str, ...]


class Lexicon(BaseModel):
    """One language."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    greetings: tuple[str, ...]
    closings: tuple[str, ...]
    signatures: tuple[str, ...]
    contexts: tuple[str, ...]
    herrings: tuple[str, ...]
    besides: tuple[str, ...]
    impact: dict[str, tuple[str, ...]]
    deadline: dict[str, tuple[str, ...]]
    vague: tuple[str, ...]
    slots: dict[str, tuple[str, ...]]
    topics: dict[str, Phrases]

    @classmethod
    def load(cls, language: str) -> Self:
        """The lexicon shipped for `language`: en or ru."""
        file = resources.files("services.simulator") / "lexicon" / f"{language}.json"
        return cls.model_validate_json(file.read_bytes())

    def say(self, template: str, rng: random.Random, *, about: Phrases | None = None) -> str:
        """`template` with every choice made; `about` is the other topic it mentions."""
        text = template
        while "[" in text:
            text = _CHOICE.sub(lambda found: rng.choice(found[1].split("|")), text)
        if "{" not in text:
            return text
        return self.say(_SLOT.sub(lambda found: self._fill(found[1], rng, about), text), rng)

    def _fill(self, slot: str, rng: random.Random, about: Phrases | None) -> str:
        if about is not None:
            others = {"fine": about.fine, "past": about.past, "problem": about.problems}
            if slot in others:
                return rng.choice(others[slot])
        return rng.choice(self.slots[slot])
