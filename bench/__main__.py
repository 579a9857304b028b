"""`python -m bench`: every figure beside its baseline; a table, and build/bench.json.

Needs no other load on the machine. Ratios are medians over alternating pairs.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import orjson
from rich.console import Console
from rich.table import Table

from bench.row import Row
from bench.stores import Stores, stores

Bench = Callable[[Stores, bool], list[Row]]


def _streaming(where: Stores, quick: bool) -> list[Row]:
    from bench import streaming  # noqa: PLC0415 - each needs packages the others do not

    return streaming.rows(where, quick=quick)


def _projection(where: Stores, quick: bool) -> list[Row]:
    from bench import projection  # noqa: PLC0415

    return projection.rows(where, quick=quick)


def _ingest(where: Stores, quick: bool) -> list[Row]:
    from bench import ingest  # noqa: PLC0415

    return ingest.rows(where, quick=quick)


def _latency(_: Stores, quick: bool) -> list[Row]:
    from bench import latency  # noqa: PLC0415

    return latency.rows(quick=quick)


def _footprint(where: Stores, quick: bool) -> list[Row]:
    from bench import footprint  # noqa: PLC0415

    return footprint.rows(where, quick=quick)


def _classification(_: Stores, quick: bool) -> list[Row]:
    from bench import classification  # noqa: PLC0415

    return classification.rows(quick)


def _forecasting(_: Stores, quick: bool) -> list[Row]:
    from bench import forecasting  # noqa: PLC0415

    return forecasting.rows(quick)


BENCHES: dict[str, Bench] = {
    "streaming": _streaming,
    "projection": _projection,
    "ingest": _ingest,
    "latency": _latency,
    "footprint": _footprint,
    "classification": _classification,
    "forecasting": _forecasting,
}


def main() -> int:
    """Exit 0 when every target was met, 1 otherwise."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", choices=[[], *BENCHES], help="some of: %(choices)s")
    parser.add_argument("--quick", action="store_true", help="small samples: does it run at all?")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), metavar="FILE")
    arguments = parser.parse_args()
    console = Console()
    found: list[Row] = []
    with stores() as where:
        for name in arguments.only or BENCHES:
            console.print(f"[dim]{name} ...")
            found += BENCHES[name](where, arguments.quick)
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
            f"{each['value']:,.4g}" if abs(each["value"]) < 1000 else f"{each['value']:,.0f}",
            each["unit"],
            each["baseline"],
            "" if each["baseline_value"] is None else f"{each['baseline_value']:,.4g}",
            "" if each["ratio"] is None else f"{each['ratio']:.2f}",
            each["target"],
            {True: "yes", False: "[red]no", None: ""}[each["met"]],
        )
    return table


if __name__ == "__main__":
    sys.exit(main())
