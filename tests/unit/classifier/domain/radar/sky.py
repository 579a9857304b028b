"""Made-up tickets in made-up directions, for the radar to find."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from services.classifier.domain.radar.radar import Radar
from shared.events import TicketLabelled
from tests.builders import NOON, a_label

Array = NDArray[np.float32]
NOVEL, USUAL = 5.0, 0.0


class Sky:
    """Directions that have nothing in common, and tickets near them."""

    def __init__(self, seed: int = 0) -> None:
        self._generator = np.random.default_rng(seed)
        self._basis = np.eye(512, dtype=np.float32)
        self._number = 0

    def near(self, direction: int, cosine: float = 0.8) -> Array:
        """A unit vector at this cosine to a direction, elsewhere random."""
        noise = self._generator.standard_normal(512).astype(np.float32)
        axis = self._basis[direction]
        noise -= axis * (noise @ axis)
        noise /= np.float32(np.linalg.norm(noise))
        side = np.float32(np.sqrt(1 - cosine**2))
        vector: Array = np.float32(cosine) * axis + side * noise
        return vector

    def between(self, first: int, second: int) -> Array:
        """A unit vector half way between two directions."""
        total = self._basis[first] + self._basis[second]
        vector: Array = total / np.float32(np.linalg.norm(total))
        return vector

    def ticket(self, **changes: Any) -> TicketLabelled:
        """The next ticket, of the next requester of seven, a minute later."""
        self._number += 1
        at = NOON + timedelta(minutes=self._number)
        values: dict[str, Any] = {
            "requester": f"r-{self._number % 7}",
            "body": f"the projector shows no picture in room {self._number}",
            "created_at": at,
            "received_at": at,
        }
        return a_label(self._number, **values | changes)

    def show(
        self, radar: Radar, direction: int, count: int, novelty: float = NOVEL, **changes: Any
    ) -> list[TicketLabelled]:
        """Have the radar observe so many tickets about one thing."""
        tickets = [self.ticket(**changes) for _ in range(count)]
        for ticket in tickets:
            radar.observe(ticket, self.near(direction), novelty)
        return tickets


def mixed(seed: int, count: int) -> Iterator[tuple[TicketLabelled, Array, float]]:
    """A sequence of tickets about five things, two of them known."""
    sky, generator = Sky(seed), np.random.default_rng(seed)
    for _ in range(count):
        direction = int(generator.integers(5))
        novelty = NOVEL if direction > 1 else USUAL
        yield sky.ticket(body=f"thing {'abcde'[direction] * 3} broke"), sky.near(direction), novelty
