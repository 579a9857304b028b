"""Train anew from the log of labelled and corrected tickets, judge, and promote if no worse."""

import argparse
import asyncio
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from prometheus_client import start_http_server
from rich.console import Console

from services.classifier.adapters import material, verdicts
from services.classifier.adapters.artifact_store import LocalDirectory
from services.classifier.adapters.artifacts import manifests
from services.classifier.adapters.promotion_desk import IngestPromotionDesk
from services.classifier.adapters.training_log import connect
from services.classifier.adapters.verdicts import Verdicts
from services.classifier.commands.round_tables import list_table, round_table
from services.classifier.commands.terminal import progress
from services.classifier.commands.times import Schedule, daily, every, moment
from services.classifier.models.encoding.choice import choose_encoder
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.settings import ClassifierSettings
from services.classifier.training.rounds import (
    Family,
    Options,
    Report,
    Round,
    Trainer,
    promote_again,
)
from shared import metrics
from shared.clock import utc_now
from shared.errors import DeskstreamError
from shared.settings import KafkaSettings

FAMILIES: dict[str, Sequence[Family]] = {
    "fast": ("fast",),
    "batch": ("batch",),
    "both": ("fast", "batch"),
}
EPILOG = """examples:
  retrain --dry-run              what a round would come to; nothing is saved or promoted
  retrain --since 90d            leave out what is older
  retrain --at 02:00             a round every night
  retrain --list                 saved models and the latest rounds, with what the gate saw
  retrain --promote VERSION      put a saved model in force: to go back, or after ingest was away

A challenger that is worse is refused: that is no error, the exit code is 0.
KAFKA_BOOTSTRAP_SERVERS names the broker, CLASSIFIER_INGEST_URL ingest, CLASSIFIER_ENCODER the
directory of another encoder than the built-in one.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `retrain`."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--list", action="store_true", help="saved models and the latest rounds")
    what.add_argument("--promote", metavar="VERSION", help="promote a saved model as it is")
    what.add_argument("--every", type=every, metavar="SPAN", help="a round so often, e.g. 24h")
    what.add_argument("--at", type=daily, metavar="TIME", help="a round every day, UTC, e.g. 02:00")
    parser.add_argument(
        "--model",
        choices=FAMILIES,
        default="fast",
        help="fast: what the workers answer from (default); batch: scikit-learn, a reference",
    )
    parser.add_argument(
        "--since", type=moment, metavar="WHEN", help="leave out older tickets: 90d, or an ISO time"
    )
    parser.add_argument("--dry-run", action="store_true", help="save and promote nothing")
    parser.add_argument("--seed", type=int, default=0, help="draws samples (default: 0)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="also write the rounds there")
    parser.add_argument("--models", type=Path, help="where models are kept")
    parser.add_argument("--ingest", metavar="URL", help="where promotions are posted")
    parser.add_argument(
        "--metrics-port", type=int, help="with --every or --at: answer Prometheus on this port"
    )


def execute(args: argparse.Namespace) -> int:
    """Do it. 1 with a sentence when that cannot be done; a refusal is 0."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    settings = ClassifierSettings()
    models = args.models or settings.models
    store = LocalDirectory(models)
    desk = IngestPromotionDesk(args.ingest or settings.ingest_url)
    kept = Verdicts(LocalDirectory(models / verdicts.FOLDER))
    try:
        if args.list:
            Console().print(*list_table(manifests(store), store.current(), kept.all()))
        elif args.promote:
            promote_again(store, desk, args.promote, utc_now())
            print(f"{args.promote} is promoted")
        elif args.every or args.at:
            # A container's first process is deaf to SIGTERM unless it listens; leaving this way
            # ends the round under way too.
            signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
            return again(args.every or args.at, args, console)
        else:
            choose_encoder(settings.encoder)
            _round(args, models, desk, kept, console)
    except DeskstreamError as fault:
        console.print(f"retrain: {fault.detail}", style="red", markup=False)
        return 1
    return 0


def _round(
    args: argparse.Namespace,
    models: Path,
    desk: IngestPromotionDesk,
    kept: Verdicts,
    console: Console,
) -> None:
    options = Options(args.since, args.seed, args.dry_run)

    async def train(report: Report) -> list[Round]:
        async with connect(KafkaSettings()) as log:
            trainer = Trainer(
                log, LocalDirectory(models), LocalDirectory(models / material.FOLDER), desk,
                encoder=DeferredEncoder(), clock=utc_now, report=report,
            )  # fmt: skip
            return await trainer.train(FAMILIES[args.model], options)

    with progress(console) as report:
        rounds = asyncio.run(train(report))
    found = [plain(each) for each in rounds]
    for each, values in zip(rounds, found, strict=True):
        Console().print(round_table(values))
        if not args.dry_run:
            kept.add(utc_now(), each.family, values)
    if args.json is not None:
        args.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


def plain(found: Round) -> dict[str, Any]:
    """A round as JSON has it."""
    return json.loads(json.dumps(asdict(found), default=str))  # type: ignore[no-any-return]


def again(
    schedule: Schedule,
    args: argparse.Namespace,
    console: Console,
    *,
    sleep: Callable[[float], None] = time.sleep,
    run: Callable[[Sequence[str]], int] = subprocess.call,
) -> int:
    """Rounds by the schedule, for ever; each in a process of its own, which gives memory back.

    An outcome is counted under deskstream_retrain_rounds_total; a round that failed is not
    repeated before the next is due.
    """
    if args.metrics_port:
        start_http_server(args.metrics_port)
    begun = utc_now()
    while True:
        due = schedule.next(begun)
        console.print(f"the next round begins at {due:%Y-%m-%d %H:%M:%S} UTC")
        sleep(max((due - utc_now()).total_seconds(), 0.0))
        begun = utc_now()
        with tempfile.TemporaryDirectory(prefix="retrain-") as folder:
            out = Path(folder) / "rounds.json"
            code = run([sys.executable, "-m", "services.classifier", "retrain", *_once(args, out)])
            count(code, out)


def count(code: int, out: Path) -> None:
    """Count what a round wrote to `out`, or that it failed."""
    if code or not out.exists():
        metrics.RETRAIN_ROUNDS.labels("any", "failed").inc()
        return
    for each in json.loads(out.read_text(encoding="utf-8")):
        metrics.RETRAIN_ROUNDS.labels(each["family"], each["outcome"]).inc()


def _once(args: argparse.Namespace, out: Path) -> list[str]:
    options = ["--model", args.model, "--seed", str(args.seed), "--json", str(out)]
    if args.dry_run:
        options.append("--dry-run")
    for name in ("since", "models", "ingest"):
        given = getattr(args, name)
        if given is not None:
            options += [f"--{name}", str(given)]
    return options
