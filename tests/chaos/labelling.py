"""The classifier with a labeller of the suite's own: `python -m tests.chaos.labelling`.

CHAOS_LABELLER: plain, slow (a hundredth of a second per ticket), fragile (raises for some texts),
hanging (never answers for such a text, the first time: CHAOS_FLAG names the file that remembers).
CHAOS_CLOCK=jumping: the wall clock goes a day ahead and two days back with every reading.
"""

import os
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
SECONDS_PER_TICKET = 0.01
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
    """A model that needs more time than tickets leave it."""

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
    """A model that does not come back, and takes the event loop with it."""

    def label(self, texts: Sequence[str]) -> Labelling:
        flag = Path(os.environ["CHAOS_FLAG"])
        if any(EXPLOSIVE in text for text in texts) and not flag.exists():
            flag.touch()
            time.sleep(HANG_SECONDS)
        return super().label(texts)


LABELLERS = {"plain": Plain, "slow": Slow, "fragile": Fragile, "hanging": Hanging}


def chosen_clock() -> Clock:
    """What CHAOS_CLOCK asks for."""
    if os.environ.get("CHAOS_CLOCK") != "jumping":
        return utc_now
    jumps = cycle((timedelta(days=1), timedelta(days=-1)))

    def jumping() -> datetime:
        return utc_now() + next(jumps)

    return jumping


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
