"""The classifier with a labeller of the suite's own: `python -m tests.chaos.labelling`.

CHAOS_LABELLER: plain, slow (a twentieth of a second per ticket), fragile (raises for some
texts), hanging (never answers for such a text), seizing (the same, and lets no other thread run
meanwhile).
CHAOS_CLOCK: jumping (the wall clock goes a day ahead and two days back with every reading), hanging
(reading it never ends, once, when the file that CHAOS_FLAG names is there).
"""

import os
import re
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import cycle
from pathlib import Path

import numpy as np

from services.classifier.app import create_worker
from services.classifier.domain.labelling import HeadScores, Labelling, ModelIdentity
from services.classifier.settings import ClassifierSettings
from shared import logs
from shared.clock import Clock, utc_now
from shared.settings import KafkaSettings
from shared.streaming import IntakeSettings

TOPICS = ("Network", "Hardware", "Access", "Billing")
# This module, as a world is told to run it.
PROGRAM = "tests.chaos.labelling"
SECONDS_PER_TICKET = 0.05
EXPLOSIVE = "explode"
HANG_SECONDS = 3_600.0


class Plain:
    """Labels by the length of the text: deterministic and free."""

    identity = ModelIdentity("suite", "1", "0" * 64)

    def label(self, texts: Sequence[str]) -> Labelling:
        scores = np.zeros((len(texts), len(TOPICS)), np.float32)
        for row, text in enumerate(texts):
            scores[row, len(text) % len(TOPICS)] = 1.0
        return Labelling(HeadScores(TOPICS, scores), None)


class Slow(Plain):
    """So slow that tickets come faster, and that a chunk is under way for seconds."""

    def label(self, texts: Sequence[str]) -> Labelling:
        time.sleep(SECONDS_PER_TICKET * len(texts))
        return super().label(texts)


class Fragile(Plain):
    """A model with a defect that one text brings to light."""

    def label(self, texts: Sequence[str]) -> Labelling:
        if any(EXPLOSIVE in text for text in texts):
            raise ZeroDivisionError("a defect of the model")
        return super().label(texts)


class Hanging(Plain):
    """A model that does not come back from one text, whenever it is asked."""

    def label(self, texts: Sequence[str]) -> Labelling:
        if any(EXPLOSIVE in text for text in texts):
            self._hang()
        return super().label(texts)

    def _hang(self) -> None:
        time.sleep(HANG_SECONDS)


class Seizing(Hanging):
    """The same, as a regular expression does it: no other thread of Python runs meanwhile."""

    def _hang(self) -> None:
        re.match("(a|a)*$", "a" * 60 + "b")


LABELLERS = {
    "plain": Plain,
    "slow": Slow,
    "fragile": Fragile,
    "hanging": Hanging,
    "seizing": Seizing,
}


def chosen_clock() -> Clock:
    """What CHAOS_CLOCK asks for."""
    jumps = cycle((timedelta(days=1), timedelta(days=-1)))

    def jumping() -> datetime:
        return utc_now() + next(jumps)

    def hanging() -> datetime:
        flag = Path(os.environ["CHAOS_FLAG"])
        if flag.exists():
            flag.unlink()
            time.sleep(HANG_SECONDS)
        return utc_now()

    clocks: dict[str, Clock] = {"jumping": jumping, "hanging": hanging}
    return clocks.get(os.environ.get("CHAOS_CLOCK", ""), utc_now)


def main() -> int:
    """Serve until SIGTERM."""
    logs.configure("classifier")
    labeller = LABELLERS[os.environ.get("CHAOS_LABELLER", "plain")]()
    worker = create_worker(
        ClassifierSettings(), KafkaSettings(), IntakeSettings(), labeller, chosen_clock()
    )
    return worker.run()


if __name__ == "__main__":
    sys.exit(main())
