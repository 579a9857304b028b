"""A made-up helpdesk: posts tickets to ingest, writes labelled corpora, replays real tickets."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from services.simulator.commands.corpus import write_corpus
from services.simulator.commands.post import PostOptions, post
from shared.errors import Misconfigured
from shared.queues import QueueDirectory

HELPDESK = Path(__file__).with_name("helpdesk.json")
EXAMPLES = """examples:
  python -m services.simulator --rate 50 --duration 60
      a minute of made-up tickets, 50 a second, to ingest on this machine
  python -m services.simulator --to-csv corpus.csv.gz --tickets 20000 --seed 7
      a labelled corpus; the same seed gives the same file
  python -m services.simulator --from-csv tickets.csv.gz --text Document --label Topic_group
      --skip .8 --rate 200 --gateway http://127.0.0.1:8000
      replays the last fifth of real tickets, the truth following as corrections,
      and shows how many labels were right
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Exit 0 when all went well, 1 when a ticket was not accepted, 2 on a wrong command line."""
    parser = _parser()
    given = parser.parse_args(argv)
    try:
        directory = QueueDirectory.load(given.helpdesk)
        if given.to_csv is not None:
            tickets = given.tickets if given.tickets is not None else 10_000
            write_corpus(given.to_csv, directory, seed=given.seed, tickets=tickets, days=given.days)
            return 0
        if given.from_csv is not None and not (given.text and given.label):
            parser.error("--from-csv needs --text COLUMN and --label COLUMN")
        return post(_post_options(given), directory)
    except Misconfigured as error:
        print(f"simulator: {error.detail}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.simulator",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    what = parser.add_argument_group("what is posted")
    what.add_argument("--seed", type=int, default=1, help="same seed, same tickets [%(default)s]")
    what.add_argument("--rate", type=_positive, default=20, help="tickets a second [%(default)s]")
    what.add_argument("--duration", type=_positive, metavar="S", help="seconds [until Ctrl-C]")
    what.add_argument("--tickets", type=_count, metavar="N", help="end after N tickets")
    what.add_argument(
        "--day",
        type=_positive,
        metavar="S",
        help="seconds of a simulated day whose hours the load follows [level load]",
    )
    what.add_argument(
        "--helpdesk", type=Path, default=HELPDESK, metavar="FILE", help="queues and topics, JSON"
    )
    _add_target(parser.add_argument_group("where to"))
    _add_corrections(parser.add_argument_group("corrections"))
    _add_files(parser.add_argument_group("files instead"))
    return parser


def _add_target(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--url", default="http://127.0.0.1:8001", help="ingest [%(default)s]")
    group.add_argument("--gateway", metavar="URL", help="follow the labels and count right ones")
    group.add_argument("--batch", type=_count, default=1, help="tickets a request [%(default)s]")
    group.add_argument(
        "--connections", type=_count, default=64, help="requests at once [%(default)s]"
    )
    group.add_argument("--report", type=Path, metavar="FILE", help="keep a JSON status file")
    group.add_argument(
        "--settle",
        type=float,
        default=30,
        metavar="S",
        help="wait up to S for labels and corrections at the end [%(default)s]",
    )
    group.add_argument(
        "--run", dest="run_id", metavar="ID", help="prefix of ticket ids [random per run]"
    )


def _add_corrections(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--correction-share", type=_share, default=0.1, help="of the tickets [%(default)s]"
    )
    group.add_argument(
        "--correction-wrong", type=_share, default=0.05, help="wrong ones [%(default)s]"
    )
    group.add_argument(
        "--correction-delay",
        type=float,
        default=5,
        metavar="S",
        help="mean seconds after the ticket [%(default)s]",
    )


def _add_files(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--to-csv", type=Path, metavar="FILE", help="write a corpus, .csv or .csv.gz"
    )
    group.add_argument(
        "--days", type=_positive, default=56, help="simulated days of the corpus [%(default)s]"
    )
    group.add_argument("--from-csv", type=Path, metavar="FILE", help="replay real tickets")
    group.add_argument("--text", default="", metavar="COLUMN", help="their text")
    group.add_argument("--label", default="", metavar="COLUMN", help="their true topic")
    group.add_argument(
        "--skip", type=_share, default=0.0, metavar="SHARE", help="leave out the first rows"
    )


def _post_options(given: argparse.Namespace) -> PostOptions:
    names = PostOptions.__dataclass_fields__
    return PostOptions(**{name: getattr(given, name) for name in names})


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError("must be between 0 and 1")
    return value


if __name__ == "__main__":
    sys.exit(main())
