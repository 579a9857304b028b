"""One round: read the logs, train, judge, save what passed, have it promoted, write it all down."""

import resource
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.classifier.adapters.artifact_store import ArtifactStore
from services.classifier.adapters.artifacts import TwoHeads, manifests, read_manifest, save
from services.classifier.adapters.promotion_desk import PromotionDesk
from services.classifier.adapters.training_log import Read, TrainingLog
from services.classifier.domain.labelling import Labeller, ModelIdentity
from services.classifier.evaluation.gate import FEWEST_TICKETS
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.training.challenger import (
    Judged,
    best_of,
    fit_fast,
    judge,
    judged_heads,
)
from services.classifier.training.champions import Champions, Reference
from services.classifier.training.examples import Evidence, Example, choose_cut, touched
from services.classifier.training.reading import HEADS, CorrectionsRead, LabelsRead, Sample
from shared.clock import Clock
from shared.errors import Unavailable

Family = Literal["fast", "batch"]
Outcome = Literal["promoted", "refused", "passed"]
# Told a step's name, how much of it is done, and of how much.
Report = Callable[[str, int, int], None]

# Bounds memory: some 40 MB of short tickets.
MOST_UNTOUCHED: Final = 20_000
MOST_JUDGED_UNTOUCHED: Final = 4_000
TOO_FEW: Final = (
    "humans decided too few tickets since the model in use was trained; "
    f"{FEWEST_TICKETS} are needed to judge by"
)
NOTHING_NEW: Final = "it is the very model in use: nothing was decided since"
# Saved models of earlier rounds that are kept, to go back to.
KEPT: Final = 10


@dataclass(frozen=True, slots=True)
class Options:
    """What to train from and how. since: leave out tickets and decisions before this moment."""

    since: datetime | None = None
    seed: int = 0
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """What came of training one family.

    outcome: passed is promoted but for a dry run. heads: those that were judged. examples: how many
    of each kind were learned. CPU seconds and peak memory are of the process so far.
    """

    family: Family
    outcome: Outcome
    reason: str
    champion: str
    heads: Mapping[str, Judged]
    examples: Mapping[str, int]
    log_offset: int
    version: str | None
    cpu_seconds: float
    peak_rss_mb: float


class Trainer:
    """Trains challengers from one reading of the logs."""

    def __init__(
        self,
        log: TrainingLog,
        models: ArtifactStore,
        material: ArtifactStore,
        desk: PromotionDesk,
        *,
        encoder: Encoder | None,
        clock: Clock,
        report: Report,
    ) -> None:
        self._log = log
        self._models = models
        self._material = material
        self._desk = desk
        self._encoder = encoder
        self._clock = clock
        self._report = report

    async def train(self, families: Sequence[Family], options: Options) -> list[Round]:
        """One round of each family. Raises DeskstreamError where logs or models cannot be had."""
        corrections = CorrectionsRead()
        await self._log.corrections(corrections.add, self._reading("reading the corrections"))
        champions = Champions(self._models, self._material, corrections, self._encoder)
        decisions = corrections.decisions(options.since)
        learned = max(champions.learned(family) for family in families)
        cut = choose_cut(decisions, learned)
        if cut is None:
            return [self._refused(family, TOO_FEW, champions) for family in families]
        labels = LabelsRead(
            cut.at,
            touched(corrections),
            Sample(MOST_UNTOUCHED, options.seed),
            Sample(MOST_JUDGED_UNTOUCHED, options.seed),
        )
        await self._log.labels(options.since, labels.add, self._reading("reading the labels"))
        evidence = Evidence(cut, decisions, labels)
        rounds = [self._one(family, champions, evidence, options) for family in families]
        self._discard(champions)
        return rounds

    def _one(
        self, family: Family, champions: Champions, evidence: Evidence, options: Options
    ) -> Round:
        started = time.process_time()
        material = champions.material(family)
        examples = evidence.examples(material)
        champion = champions.before(family, evidence.cut)
        self._report(f"training the {family} model", 0, 1)
        try:
            found, judged = self._fitted(family, champion, evidence, examples, options)
        except ValueError as fault:
            return self._refused(family, f"these tickets cannot be learned: {fault}", champions)
        if not judged:
            return self._refused(family, TOO_FEW, champions)
        if found.identity.digest == champions.identity(family).digest:
            return self._refused(family, NOTHING_NEW, champions)
        # Heads of a fast model are independent: each is replaced for itself.
        enough = any if family == "fast" else all
        passed = enough(each.verdict.promoted for each in judged.values())
        version, outcome = None, "refused"
        if passed:
            outcome = "passed"
            if not options.dry_run:
                version, outcome = self._promote(found, champions.named(family), evidence, judged)
        corrected = sum(each.corrected for each in examples)
        return Round(
            family=family,
            outcome=outcome,  # type: ignore[arg-type]
            reason="; ".join(f"{name}: {each.verdict.reason}" for name, each in judged.items()),
            champion=champions.identity(family).version,
            heads=judged,
            examples={
                "original": len(material),
                "untouched": len(examples) - corrected - len(material),
                "corrected": corrected,
            },
            log_offset=evidence.cut,
            version=version,
            cpu_seconds=time.process_time() - started,
            peak_rss_mb=_peak_rss_mb(),
        )

    def _fitted(
        self,
        family: Family,
        champion: Labeller,
        evidence: Evidence,
        examples: Sequence[Example],
        options: Options,
    ) -> tuple[TwoHeads, dict[str, Judged]]:
        held_out = {name: evidence.held_out(name, examples) for name in HEADS}
        if isinstance(champion, FastLabeller) and family == "fast":
            names = judged_heads(champion, held_out)
            challenger = fit_fast(
                examples, champion, names,
                seed=options.seed, encoder=self._encoder, report=self._step,
            )  # fmt: skip
            judged = {
                name: judge(name, champion, challenger, held_out[name], options.seed)
                for name in names
            }
            return best_of(champion, challenger, judged), judged
        return Reference.fitted(examples, champion, held_out, options.seed, self._step)

    def _promote(
        self,
        found: TwoHeads,
        material: str | None,
        evidence: Evidence,
        judged: Mapping[str, Judged],
    ) -> tuple[str, Outcome]:
        identity = save(
            self._models, found, figures_of(judged), self._clock,
            log_offset=evidence.cut, material=material,
        )  # fmt: skip
        try:
            self._desk.promote(identity, "gate")
        except Unavailable as away:
            raise Unavailable(
                f"{away.detail}. The model passed and is saved; promote it later: "
                f"`python -m services.classifier retrain --promote {identity.version}`"
            ) from away
        return identity.version, "promoted"

    def _discard(self, champions: Champions) -> None:
        """All but the latest models that came out of rounds, and never one in use."""
        used = {champions.identity(family).version for family in champions.families}
        used.add(self._models.current() or "")
        made = [each for each in manifests(self._models) if each.log_offset > 0]
        for each in made[:-KEPT]:
            if each.version not in used:
                self._models.discard(each.version)

    def _refused(self, family: Family, reason: str, champions: Champions) -> Round:
        return Round(
            family, "refused", reason, champions.identity(family).version, {}, {}, 0, None,
            time.process_time(), _peak_rss_mb(),
        )  # fmt: skip

    def _reading(self, step: str) -> Read:
        return lambda done, total: self._report(step, done, total)

    def _step(self, step: str) -> None:
        self._report(step, 0, 1)


def promote_again(store: ArtifactStore, desk: PromotionDesk, version: str, at: datetime) -> None:
    """Promote a saved model whatever the gate said: to go back, or after ingest was away.

    Raises ArtifactMissing, ArtifactDamaged, Unavailable.
    """
    identity: ModelIdentity = read_manifest(store, version).identity
    desk.promote(identity, f"{at:%Y%m%dT%H%M%SZ}")


def figures_of(judged: Mapping[str, Judged]) -> dict[str, float | int | str]:
    """What the gate saw, as a manifest keeps it."""
    figures: dict[str, float | int | str] = {}
    for name, each in judged.items():
        figures |= {
            f"{name}_gate": each.verdict.reason,
            f"{name}_held_out_rows": each.held_out,
            f"{name}_decided_rows": each.decided,
            f"{name}_ece": each.ece,
        }
        for found in each.verdict.differences:
            key = f"{name}_{found.figure.lower().replace('-', '_')}"
            figures |= {key: found.challenger, f"{key}_champion": found.champion}
    return figures


def _peak_rss_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
