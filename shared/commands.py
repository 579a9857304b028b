"""Subcommands of `python -m services.NAME`: one module each, imported only when it is named.

A module has `configure(parser)` and `execute(arguments) -> exit code`; its docstring is its help.
"""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence

from pydantic import ValidationError

from shared.settings import faults


def dispatch(
    package: str,
    description: str | None,
    commands: Mapping[str, str],
    argv: Sequence[str] | None = None,
) -> int:
    """Run one of `commands` (name to one line of help; the first is the default).

    package: `services.NAME`, whose `commands` package holds the modules. `parked list` must not
    wait for scikit-learn, nor a backtest for a broker client, hence the late import.
    """
    program = f"python -m {package}"
    parser = argparse.ArgumentParser(
        prog=program,
        description=description,
        epilog=f"{program} COMMAND --help says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "command",
        nargs="?",
        default=next(iter(commands)),
        choices=commands,
        metavar="COMMAND",
        help="; ".join(f"{name}: {text}" for name, text in commands.items()),
    )
    words = list(sys.argv[1:] if argv is None else argv)
    chosen = parser.parse_args(words[:1]).command
    module = importlib.import_module(f"{package}.commands.{chosen}")
    sub = argparse.ArgumentParser(prog=f"{program} {chosen}", description=module.__doc__)
    module.configure(sub)
    arguments = sub.parse_args(words[1:])
    try:
        return int(module.execute(arguments))
    except ValidationError as error:
        if not (wrong := faults(error)):
            raise
        print(*wrong, sep="\n", file=sys.stderr)  # noqa: T201 - the operator's terminal
        return 2
