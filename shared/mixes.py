"""Combinations of topic and priority within one queue, and how they are named in Redis."""

from typing import NamedTuple, Self

# The unit separator: no queue, topic or priority that people type has it.
_BETWEEN = "\x1f"


class Mix(NamedTuple):
    """A topic and a priority that tickets of a queue had together; "" is no priority."""

    topic: str
    priority: str

    @property
    def member(self) -> str:
        """As a member of `shared.redis_keys.mixes` and the end of a `mix` key."""
        return f"{self.topic}{_BETWEEN}{self.priority}"

    @classmethod
    def of(cls, member: str) -> Self:
        """What `member` wrote."""
        topic, _, priority = member.rpartition(_BETWEEN)
        return cls(topic, priority)

    def matches(self, topic: str | None, priority: str | None) -> bool:
        """Whether both are those wanted; None wants any."""
        return topic in (None, self.topic) and priority in (None, self.priority)
