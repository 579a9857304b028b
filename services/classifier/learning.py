"""The model that serves while it learns: instant steps in place, refits on a copy, then a swap."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from services.classifier.budgeting import publish
from services.classifier.domain.error_budget import TARGET_PRECISION
from services.classifier.domain.judgement import Judgement
from services.classifier.domain.labelling import Labelling, ModelIdentity
from services.classifier.domain.log_records import LogRecord, Place
from services.classifier.models.allocation import give_back
from services.classifier.models.fast.explanation import top_words
from services.classifier.models.fast.folding import Fold
from shared import metrics
from shared.events import CorrectionsUndone, ModelPromoted, RefitDue, WordsMet

log = logging.getLogger(__name__)

# Words and what each adds to a logit, greatest first.
Words = list[tuple[str, float]]

# A restart is to repeat at most so many refits of the log, and to spend so many seconds on them.
REFITS_BETWEEN_SNAPSHOTS = 4
SECONDS_BETWEEN_SNAPSHOTS = 1.0
# Records at the end of a long log that do not wait for a refit under way.
LEARNED_TWICE = 1_000
_REFITTING: Final = (RefitDue, CorrectionsUndone, ModelPromoted, WordsMet)
DIGEST_DIGITS = 13  # of hexadecimal: 52 bits, exact in a gauge's float


class LearningLabeller:
    """A Labeller over a Fold. `apply` may be called while `label` is, from one other thread.

    A refit works on a copy in its own thread. What arrives meanwhile is learned by the model that
    serves, at once, and again by the copy before it takes over: the result is the same as if the
    log had waited for the refit.
    """

    def __init__(
        self, fold: Fold, save: Callable[[Fold], None], target: float = TARGET_PRECISION
    ) -> None:
        """`save` keeps a fold over restarts; an OSError of it is logged and counted.

        target: the precision at which this deployment applies labels.
        """
        self._fold = fold
        self._target = target
        fold.judgement.aim(target)
        self._save = save
        self._serving = threading.Lock()
        self._folding = threading.RLock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="refit")
        self._refit: Future[None] | None = None
        self._since: list[LogRecord] = []
        self._unsaved, self._unsaved_seconds = 0, 0.0
        self._taking_over = False
        self._applying = False
        self._end = 0
        self._publish_digest()

    @property
    def identity(self) -> ModelIdentity:
        return self._fold.identity

    @property
    def fold(self) -> Fold:
        """What serves now."""
        return self._fold

    @property
    def settled(self) -> bool:
        """Whether no refit is under way: then the offset alone decides every answer."""
        return self._refit is None and not self._taking_over and not self._applying

    def resume(self, fold: Fold | None, end: int) -> Place:
        """Go on from a saved fold, if there is one; only before the first `apply`.

        end: offset to which the log is to be caught up with. Nobody is answered before that, so
        each refit up to there is waited for, but the last. Returns the place to read on from.
        """
        with self._folding:
            with self._serving:
                self._fold, self._end = fold or self._fold, end
                self._fold.judgement.aim(self._target)
            self._publish_digest()  # asks the model, which takes `_serving` by itself
            give_back()  # what the snapshot was before it was a fold
            return Place(self._fold.offset, self._fold.last)

    def label(self, texts: Sequence[str]) -> Labelling:
        """Scores of every head, as of everything applied before."""
        with self._serving:
            return self._fold.label(texts)

    @property
    def judgement(self) -> Judgement:
        """What humans said of the answers so far, as a copy that nobody changes."""
        with self._serving:
            return self._fold.judgement.copy()

    def explain(self, asked: Iterable[tuple[str, str]]) -> list[Words | None]:
        """Of each text the words that speak most for its topic; None for an unknown topic."""
        return [self._explain(text, topic) for text, topic in asked]

    def _explain(self, text: str, topic: str) -> Words | None:
        # Locked for one text at a time: tickets that arrive meanwhile go in between.
        with self._serving:
            head = self._fold.topic
            return top_words(head, text, topic) if topic in head.classes else None

    def apply(self, records: Sequence[LogRecord]) -> None:
        """Fold the next records of the log; the next `label` knows them."""
        for record in records:
            left = self._end - record.offset
            if left > LEARNED_TWICE or (left > 0 and isinstance(record.event, _REFITTING)):
                # Nobody is answered yet, and what is learned beside a refit is learned twice.
                self.settle()
            with self._folding:
                self._applying = True  # before the offset says so, and until a refit is noted
                with self._serving:
                    outcome = self._fold.apply(record)
                metrics.FOLDED.labels("control" if outcome == "refit" else outcome).inc()
                self._follow(self._fold, record, due=outcome == "refit")
                self._applying = False
        with self._folding:
            if self._refit is None:
                self._publish_digest()

    def take_met_words(self) -> list[str]:
        """Words of live tickets, met often, that no record of the log has brought up yet."""
        return self._fold.take_met_words()

    def settle(self) -> None:
        """Wait until no refit is under way or due."""
        while True:
            with self._folding:  # not in the middle of a take-over
                running = self._refit
            if running is None:
                return
            running.result()

    def _follow(self, fold: Fold, record: LogRecord, *, due: bool) -> None:
        if self._refit is not None:
            self._since.append(record)
        elif due:
            self._refit = self._thread.submit(self._work, fold.fork())

    def _work(self, twin: Fold) -> None:
        self._refit_fold(twin)
        self._take_over(twin)
        give_back()

    def _refit_fold(self, twin: Fold) -> None:
        version, began = self._fold.identity.version, time.thread_time()
        try:
            kept = twin.refit()
        except Exception:
            # The instant steps remain; a worker that ended here would end here again.
            log.exception("the refit at offset %s failed", twin.offset)
            metrics.REFITS.labels("failed").inc()
        else:
            metrics.REFITS.labels("kept" if kept else "refused").inc()
            self._unsaved += 1
            self._unsaved_seconds += time.thread_time() - began
            # After a promotion at once: a restart is not to answer from the model before it.
            if (
                self._unsaved >= REFITS_BETWEEN_SNAPSHOTS
                or self._unsaved_seconds >= SECONDS_BETWEEN_SNAPSHOTS
                or version != twin.identity.version
            ):
                self._keep(twin)
        twin.judgement.settle()

    def _take_over(self, twin: Fold) -> None:
        with self._folding:
            self._taking_over = True
            since, self._since, self._refit = self._since, [], None
            for record in since:
                due = twin.apply(record) == "refit"
                self._follow(twin, record, due=due)
            with self._serving:
                self._fold = twin
            self._taking_over = False
            if self._refit is None:
                self._publish_digest()

    def _keep(self, twin: Fold) -> None:
        self._unsaved, self._unsaved_seconds = 0, 0.0
        try:
            self._save(twin)
        except OSError as fault:
            log.warning("the model at offset %s could not be saved: %s", twin.offset, fault)
            metrics.SNAPSHOTS.labels("failed").inc()
        else:
            metrics.SNAPSHOTS.labels("saved").inc()

    def probe_digest(self) -> str:
        """Of what serves now; asked like any ticket, never while another one is answered."""
        with self._serving:
            return self._fold.digest()

    def _publish_digest(self) -> None:
        identity = self._fold.identity
        metrics.MODEL_INFO.clear()
        metrics.MODEL_INFO.labels(identity.name, identity.version, identity.digest).set(1)
        metrics.PROMOTION_UNMET.set(self._fold.unmet is not None)
        metrics.FOLD_OFFSET.set(self._fold.offset)
        metrics.FOLD_DIGEST.set(int(self.probe_digest()[:DIGEST_DIGITS], 16))
        publish(self._fold.judgement)
