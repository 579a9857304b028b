"""`python -m bench`: every figure beside its baseline; a table, and build/bench.json.

Needs no other load on the machine. Ratios are medians over alternating pairs.
"""

import argparse
import importlib
import sys
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.row import Row
from bench.stores import Stores, stores

# Each is a module with `rows`; imported when it is its turn, since each needs packages of its own.
ON_STORES = ("streaming", "projection", "ingest", "footprint", "load", "relearning")
ALONE = ("latency", "classification", "retraining", "similarity", "forecasting")
LOG_WIDTH = 200


def measure(name: str, where: Stores, *, quick: bool) -> list[Row]:
    """The rows of one bench."""
    module = importlib.import_module(f"bench.{name}")
    given = (where,) if name in ON_STORES else ()
    found: list[Row] = module.rows(*given, quick=quick)
    return found


def main() -> int:
    """Exit 0 when every target was met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="BENCH", help=", ".join((*ON_STORES, *ALONE)))
    parser.add_argument("--quick", action="store_true", help="small samples: does it run at all?")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE")
    arguments = parser.parse_args()
    chosen = arguments.only or [*ON_STORES, *ALONE]
    if unknown := set(chosen) - {*ON_STORES, *ALONE}:
        parser.error(f"no such bench: {', '.join(sorted(unknown))}")
    console = Console()
    if not console.is_terminal:
        console.width = LOG_WIDTH
    found: list[Row] = []
    with stores() as where:
        for name in chosen:
            console.print(f"[dim]{name} ...")
            found += measure(name, where, quick=arguments.quick)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    arguments.json.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2))
    console.print(_table(found))
    console.print(f"written to {arguments.json}")
    return 0 if all(row["met"] is not False for row in found) else 1


def _table(found: list[Row]) -> Table:
    table = Table("what", "value", "unit", "baseline", "its value", "ratio", "target", "met")
    for each in found:
        table.add_row(
            each["name"],
            _figure(each["value"]),
            each["unit"],
            each["baseline"],
            _figure(each["baseline_value"]),
            _figure(each["ratio"]),
            each["target"],
            {True: "yes", False: "[red]no", None: ""}[each["met"]],
        )
    return table


def _figure(value: float | None) -> str:
    """Four digits, thousands whole; nothing for nothing."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


if __name__ == "__main__":
    sys.exit(main())
