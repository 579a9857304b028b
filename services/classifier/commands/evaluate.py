"""Judge a model on a CSV of labelled tickets it has not seen, beside the majority class."""

import argparse
import csv
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console

from services.classifier.commands import report_tables
from services.classifier.commands.encoder_option import add_encoder_option, choose_named_encoder
from services.classifier.commands.terminal import progress
from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation import families
from services.classifier.evaluation.adaptation import Adaptation, adapt, choose_new_classes
from services.classifier.evaluation.emergence import RadarFigures, emergence
from services.classifier.evaluation.judging import Judgement, answer, judge
from services.classifier.evaluation.metrics import Answers
from services.classifier.evaluation.online import Report
from services.classifier.evaluation.splits import stratified_split
from services.classifier.evaluation.stream import StreamFigures, prequential
from services.classifier.evaluation.tables import (
    Columns,
    LabelledTickets,
    UnusableData,
    read_tickets,
)
from services.classifier.models.encoding.carrier import CarrierError
from shared.errors import DeskstreamError


@dataclass(frozen=True, slots=True)
class Data:
    """What one evaluation reads; out_of_scope is empty without `--oos`."""

    train: LabelledTickets
    test: LabelledTickets
    out_of_scope: list[str]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Everything one run found out."""

    tickets: LabelledTickets
    answers: Answers
    judgement: Judgement
    stream: StreamFigures | None
    adaptation: Adaptation | None
    emergence: RadarFigures | None = None


def fraction(text: str) -> float:
    """A number in [0, 1], for argparse."""
    value = float(text)
    if not 0.0 <= value <= 1.0:
        raise argparse.ArgumentTypeError(f"{text} is not a share from 0 to 1")
    return value


def configure(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    add = parser.add_argument
    add("--train", type=Path, required=True, help="a CSV or CSV.gz file to learn from")
    add("--test", type=Path, help="a file to judge on (default: a fifth of --train, stratified)")
    add("--text", required=True, help="the column of the ticket's text, in every file")
    add("--label", required=True, help="the column of the label, in --train and --test")
    add("--oos", type=Path, help="a file of out-of-scope tickets: how well novelty is noticed")
    add("--model", choices=families.NAMES, default="fast", help="which family (default: fast)")
    add(
        "--semantic",
        type=fraction,
        default=0.0,
        metavar="SHARE",
        help="send this least sure share of the tickets to the encoder (default: 0)",
    )
    add_encoder_option(parser)
    add("--zero", action="store_true", help="learn nothing: label by the names of the classes")
    add("--stream", action="store_true", help="test, then train, over --train in file order")
    add(
        "--adapt",
        type=int,
        metavar="N",
        help="hold N classes out, then teach them by 1 to 30 corrections each",
    )
    add(
        "--radar",
        type=int,
        metavar="N",
        help="hold N classes out, then see whether the radar proposes them (with --semantic: from "
        "that share of the tickets, else from all)",
    )
    add("--seed", type=int, default=0, help="draws splits, classes and corrections (default: 0)")
    add("--predictions", type=Path, metavar="OUT.csv", help="write the answer to every test row")
    add("--json", type=Path, metavar="OUT.json", help="write all figures")


def execute(args: argparse.Namespace) -> int:
    """Evaluate, print the tables, write the files. 1 with a sentence when it cannot be done."""
    console = Console(stderr=True)
    try:
        refuse_contradictions(args)
        choose_named_encoder(args)
        data = read(args)
        with progress(console) as report:
            found = evaluate(args, data, report)
    except (DeskstreamError, CarrierError) as fault:
        console.print(
            f"evaluate: {fault}", style="red", highlight=False, markup=False, soft_wrap=True
        )
        return 1
    for table in report_tables.tables(found.judgement, found.stream, found.adaptation):
        Console().print(table)
    if found.emergence:
        Console().print(report_tables.emergence(found.emergence))
    if args.json:
        args.json.write_bytes(orjson.dumps(as_json(args, found), option=orjson.OPT_INDENT_2))
    if args.predictions:
        write_predictions(args.predictions, found)
    return 0


def refuse_contradictions(args: argparse.Namespace) -> None:
    """Raises UnusableData for options that exclude each other."""
    if args.zero and (args.stream or args.adapt or args.radar or args.semantic):
        raise UnusableData(
            "--zero learns nothing; leave out --stream, --adapt, --radar, --semantic"
        )
    if args.stream and (args.test or args.adapt or args.radar):
        raise UnusableData("--stream tests on --train itself; leave out --test, --adapt, --radar")


def read(args: argparse.Namespace) -> Data:
    """Read every file named; without `--test` the training file is split."""
    columns = Columns(args.text, args.label)
    train = read_tickets(args.train, columns)
    test = train
    if args.test:
        test = read_tickets(args.test, columns)
    elif not args.stream:
        train, test = stratified_split(train, args.seed)
        if not len(test):
            raise UnusableData(f"{args.train} has too few rows to split; give --test")
    out_of_scope = read_tickets(args.oos, Columns(args.text)).texts if args.oos else []
    return Data(train, test, out_of_scope)


def evaluate(args: argparse.Namespace, data: Data, report: Report) -> Evaluation:
    """Run the chosen protocol."""
    make = families.maker(args.model, args.seed, args.semantic, report)
    if args.stream:
        return _stream(args, data, make, report)
    model, seconds = _fitted(args, data, make, report)
    probabilities = answer(model, data.test.texts, report)
    answers = Answers.of(data.test.labels, model.classes, probabilities)
    judgement = _judged(model, answers, data, seconds, families.share_sent(model))
    adaptation = None
    if args.adapt:
        new = choose_new_classes(data.train.labels, args.adapt, args.seed)
        learner = families.online(make(), args.model)
        adaptation = adapt(learner, data.train, data.test, new, seed=args.seed, report=report)
    emerged = _emergence(args, data, report) if args.radar else None
    return Evaluation(data.test, answers, judgement, None, adaptation, emerged)


def _emergence(args: argparse.Namespace, data: Data, report: Report) -> RadarFigures:
    return emergence(
        families.onlooker(args.seed),
        data.train,
        data.test,
        choose_new_classes(data.train.labels, args.radar, args.seed, option="--radar"),
        centred=families.usual_centre().centred,
        share=args.semantic or 1.0,
        seed=args.seed,
        report=report,
    )


def _fitted(
    args: argparse.Namespace, data: Data, make: Callable[[], TextClassifier], report: Report
) -> tuple[TextClassifier, float]:
    start = time.process_time()
    if args.zero:
        names = sorted(set(data.train.labels) | set(data.test.labels))
        model = families.zero_shot(names)
    else:
        model = make()
        report("fitting", 0, 1)
        try:
            model.fit(data.train.texts, data.train.labels)
        except ValueError as fault:
            raise UnusableData(f"{args.train} cannot be learned from: {fault}") from fault
    return model, time.process_time() - start


def _stream(
    args: argparse.Namespace, data: Data, make: Callable[[], TextClassifier], report: Report
) -> Evaluation:
    learner = families.online(make(), args.model)
    start = time.process_time()
    stream = prequential(learner, data.train.texts, data.train.labels, report)
    seconds = time.process_time() - start
    judgement = _judged(learner, stream.answers, data, seconds, families.share_sent(learner))
    judgement = replace(judgement, majority_accuracy=stream.majority_accuracy)
    return Evaluation(data.train, stream.answers, judgement, stream, None)


def _judged(
    model: TextClassifier, answers: Answers, data: Data, seconds: float, share: float
) -> Judgement:
    return judge(
        model,
        answers,
        data.test.texts,
        train_labels=data.train.labels,
        out_of_scope=data.out_of_scope,
        semantic_share=share,
        fit_cpu_seconds=seconds,
    )


def as_json(args: argparse.Namespace, found: Evaluation) -> dict[str, Any]:
    """The keys that issue trackers, benches and judges read; not-a-number becomes null."""
    keys: dict[str, Any] = {"model": "zero" if args.zero else args.model, "seed": args.seed}
    keys |= asdict(found.judgement)
    if found.stream:
        keys["stream"] = {
            name: value for name, value in asdict(found.stream).items() if name != "answers"
        }
    if found.adaptation:
        keys["adapt"] = [asdict(step) for step in found.adaptation.steps]
        keys["adapt_before"] = asdict(found.adaptation.before)
        keys["adapt_classes"] = list(found.adaptation.new_classes)
    if found.emergence:
        keys["radar"] = asdict(found.emergence)
    return keys


def write_predictions(path: Path, found: Evaluation) -> None:
    """row (zero-based, of the file the ticket came from), label, predicted, probability."""
    answers = found.answers
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("row", "label", "predicted", "probability"))
        for row, label, predicted, sure in zip(
            found.tickets.rows, answers.labels, answers.predicted, answers.confidence, strict=True
        ):
            writer.writerow((row, label, predicted, f"{sure:.6f}"))
