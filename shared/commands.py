"""Subcommands of `python -m services.NAME`: one module each, imported only when it is named.

A module has `configure(parser)` and `execute(arguments) -> exit code`; its docstring is its help.
"""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence


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
    return int(module.execute(sub.parse_args(words[1:])))
