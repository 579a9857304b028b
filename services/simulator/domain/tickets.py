"""Writes tickets: what is wrong, how bad and how urgent it is, and everything beside the point."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.simulator.domain.lexicon import Lexicon, Phrases
from services.simulator.domain.typos import mistype

LANGUAGES = {"en": 0.6, "ru": 0.4}
CHANNELS = {"email": 0.55, "portal": 0.25, "chat": 0.15, "phone": 0.05}
PRIORITIES = ("low", "normal", "high", "urgent")

# How much each degree of impact and of deadline adds; "" is left unsaid.
_IMPACT = {"": 0, "one": 0, "team": 1, "all": 2}
_DEADLINE = {"": 0, "relaxed": -1, "soon": 1, "now": 2}
_IMPACT_SHARES = {"": 0.50, "one": 0.22, "team": 0.19, "all": 0.09}
_DEADLINE_SHARES = {"": 0.52, "relaxed": 0.26, "soon": 0.14, "now": 0.08}
# Judged by people: now and then they choose the neighbouring priority.
_PRIORITY_NOISE = 0.03
# So short that nobody could tell the topic from the text.
_VAGUE_SHARE = 0.025
# Those who report a detail and take the problem for known.
_TERSE_SHARE = 0.09
# Those who also tell of a second, smaller problem; the topic is the first.
_BESIDES_SHARE = 0.10
_QUEUE_SHARE = 0.35
# Of the tickets that name a queue, those that name any other one.
_STRAY_QUEUE_SHARE = 0.1
_REQUESTERS = 2_500


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket with its truth: `topic` and `priority` are what an expert would set."""

    ticket_id: str
    # Simulated time.
    created_at: datetime
    requester: str
    channel: str
    queue: str | None
    language: str
    subject: str
    body: str
    topic: str
    priority: str

    @property
    def text(self) -> str:
        """Subject and body as one text."""
        return f"{self.subject}\n{self.body}" if self.subject else self.body


class Writer:
    """Writes tickets from a random stream of its own.

    `asides`: topics that tickets mention beside their own; `queues`: queue by topic.
    """

    def __init__(
        self,
        seed: int,
        *,
        queues: Mapping[str, str],
        all_queues: tuple[str, ...],
        asides: tuple[str, ...],
    ) -> None:
        self._rng = random.Random(f"{seed}:content")
        self._lexicons = {language: Lexicon.load(language) for language in LANGUAGES}
        self._queues = queues
        self._all_queues = all_queues
        self._asides = asides

    def write(self, number: int, created_at: datetime, topic: str, *, surge: bool) -> Ticket:
        """One ticket about `topic`; in a surge many people suffer from the same."""
        rng = self._rng
        language = weighted(rng, LANGUAGES)
        lexicon = self._lexicons[language]
        impact = "all" if surge and rng.random() < 0.6 else weighted(rng, _IMPACT_SHARES)
        deadline = weighted(rng, _DEADLINE_SHARES)
        subject, body = self._text(lexicon, topic, impact, deadline)
        return Ticket(
            ticket_id=f"T-{number:06d}",
            created_at=created_at,
            requester=f"person{rng.randrange(_REQUESTERS):04d}@helpdesk.example",
            channel=weighted(rng, CHANNELS),
            queue=self._queue(topic),
            language=language,
            subject=subject,
            body=body,
            topic=topic,
            priority=self._priority(impact, deadline),
        )

    def _text(self, lexicon: Lexicon, topic: str, impact: str, deadline: str) -> tuple[str, str]:
        rng = self._rng
        phrases = lexicon.topics[topic]
        # A typing style per ticket: most people are careful.
        slips = rng.choice((0.0, 0.0, 0.01, 0.05))
        if rng.random() < _VAGUE_SHARE:
            core = [lexicon.say(rng.choice(lexicon.vague), rng)]
            subject = ""
        else:
            core = self._core(lexicon, phrases, topic)
            subject = self._subject(lexicon, phrases)
        if impact:
            core.append(lexicon.say(rng.choice(lexicon.impact[impact]), rng))
        if deadline:
            core.append(lexicon.say(rng.choice(lexicon.deadline[deadline]), rng))
        body = mistype(" ".join(map(_capitalised, core)), rng, slips)
        return mistype(subject, rng, slips), self._framed(lexicon, body)

    def _core(self, lexicon: Lexicon, phrases: Phrases, topic: str) -> list[str]:
        """The problem somewhere between context, details and talk of other topics."""
        rng = self._rng
        if rng.random() < _TERSE_SHARE:
            sentences = [lexicon.say(rng.choice(phrases.details), rng)]
        else:
            problems = rng.sample(phrases.problems, 1 if rng.random() < 0.7 else 2)
            sentences = [lexicon.say(problem, rng) for problem in problems]
            if rng.random() < 0.55:
                sentences.append(lexicon.say(rng.choice(phrases.details), rng))
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            herring = self._aside(lexicon, lexicon.herrings, topic)
            sentences.insert(rng.randrange(len(sentences) + 1), herring)
        if rng.random() < _BESIDES_SHARE:
            sentences.append(self._aside(lexicon, lexicon.besides, topic))
        if rng.random() < 0.5:
            sentences.insert(0, lexicon.say(rng.choice(lexicon.contexts), rng))
        return sentences

    def _aside(self, lexicon: Lexicon, templates: tuple[str, ...], topic: str) -> str:
        """A sentence about any other topic."""
        other = self._rng.choice([name for name in self._asides if name != topic])
        template = self._rng.choice(templates)
        return lexicon.say(template, self._rng, about=lexicon.topics[other])

    def _subject(self, lexicon: Lexicon, phrases: Phrases) -> str:
        rng = self._rng
        if rng.random() < 0.15:
            return ""
        subject = _capitalised(lexicon.say(rng.choice(phrases.subjects), rng))
        return f"{rng.choice(('RE: ', 'FW: '))}{subject}" if rng.random() < 0.12 else subject

    def _framed(self, lexicon: Lexicon, body: str) -> str:
        rng = self._rng
        if rng.random() < 0.7:
            body = f"{lexicon.say(rng.choice(lexicon.greetings), rng)}\n{body}"
        if rng.random() < 0.6:
            closing = lexicon.say(rng.choice(lexicon.closings), rng)
            body = f"{body}\n{closing}\n{lexicon.say(rng.choice(lexicon.signatures), rng)}"
        return body

    def _queue(self, topic: str) -> str | None:
        rng = self._rng
        if rng.random() >= _QUEUE_SHARE:
            return None
        if rng.random() < _STRAY_QUEUE_SHARE:
            return rng.choice(self._all_queues)
        return self._queues[topic]

    def _priority(self, impact: str, deadline: str) -> str:
        level = min(3, max(0, 1 + _IMPACT[impact] + _DEADLINE[deadline]))
        if self._rng.random() < _PRIORITY_NOISE:
            level = min(3, max(0, level + self._rng.choice((-1, 1))))
        return PRIORITIES[level]


def weighted(rng: random.Random, shares: Mapping[str, float]) -> str:
    """One key, by its share."""
    return rng.choices(tuple(shares), tuple(shares.values()))[0]


def _capitalised(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]
