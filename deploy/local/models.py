"""The demo's model: trained once per data and code, on made-up or real tickets."""

import csv
import gzip
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deploy.local.settings import LocalSettings
from deploy.local.workspace import CHECKOUT, Workspace
from shared.errors import Misconfigured

CORPUS_TICKETS = 20_000
# Real tickets: the first share is learned, the rest replayed.
LEARNED_SHARE = 0.8
TEXT_COLUMNS = ("document", "text", "body", "description", "message", "content", "instruction")
LABEL_COLUMNS = ("topic_group", "label", "topic", "category", "intent", "queue", "product")


@dataclass(frozen=True, slots=True)
class RealTickets:
    """A file of labelled tickets and which of its columns hold text and label."""

    path: Path
    text: str
    label: str

    @classmethod
    def find(cls, settings: LocalSettings) -> "RealTickets | None":
        """What DEMO_DATA, DEMO_TEXT and DEMO_LABEL say. Misconfigured where that is not there."""
        path = settings.demo_data
        if path is None:
            return None
        path = path.expanduser().resolve()
        try:
            with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
                columns = next(csv.reader(file), [])
        except OSError as error:
            raise Misconfigured(f"DEMO_DATA={path} cannot be read: {error.strerror}") from None
        text = _column("DEMO_TEXT", settings.demo_text, columns, TEXT_COLUMNS)
        label = _column("DEMO_LABEL", settings.demo_label, columns, LABEL_COLUMNS)
        return cls(path, text, label)

    @property
    def columns(self) -> list[str]:
        return ["--text", self.text, "--label", self.label]


def ensure_model(
    tickets: RealTickets | None, workspace: Workspace, announce: Callable[[str], None]
) -> Path:
    """The directory of a trained model, made now where it is missing or its code has changed."""
    kind = "demo" if tickets is None else f"{tickets.path.name}-{_digest([str(tickets.path)])[:8]}"
    models = workspace.root / "models" / kind
    stamp, wanted = models / "stamp", _fingerprint(tickets)
    if stamp.exists() and stamp.read_text() == wanted:
        return models
    shutil.rmtree(models, ignore_errors=True)
    models.mkdir(parents=True)
    if tickets is None:
        corpus = workspace.root / "corpus.csv"
        announce(f"Making a corpus of {CORPUS_TICKETS:,} tickets, once ...")
        arguments = ["--to-csv", str(corpus), "--tickets", str(CORPUS_TICKETS), "--seed", "7"]
        _module("services.simulator", arguments)
        chosen = ["--data", str(corpus), "--text", "text", "--label", "topic"]
        chosen += ["--priority", "priority"]
    else:
        chosen = ["--data", str(tickets.path), *tickets.columns, "--first", str(LEARNED_SHARE)]
    announce("Training the classifier, once ...")
    _module("services.classifier", ["train", *chosen, "--models", str(models)])
    stamp.write_text(wanted)
    return models


def _module(module: str, arguments: Sequence[str]) -> None:
    done = subprocess.run([sys.executable, "-m", module, *arguments], cwd=CHECKOUT, check=False)
    if done.returncode:
        raise Misconfigured(
            f"`python -m {module} {arguments[0]}` ended with code {done.returncode}; what it "
            "printed above says why."
        )


def _column(setting: str, given: str | None, columns: list[str], usual: Iterable[str]) -> str:
    if given is not None and given in columns:
        return given
    by_name = {column.lower(): column for column in columns}
    found = next((by_name[name] for name in usual if name in by_name), None)
    if given is None and found is not None:
        return found
    raise Misconfigured(f"Set {setting} to a column of the file; it has: {', '.join(columns)}.")


def _fingerprint(tickets: RealTickets | None) -> str:
    """Changes with the data and with the code that makes or reads a model."""
    parts: list[str] = []
    for service in ("classifier", "simulator"):
        for source in sorted((CHECKOUT / "services" / service).rglob("*.py")):
            parts += [str(source.relative_to(CHECKOUT)), source.read_text()]
    if tickets is not None:
        status = tickets.path.stat()
        parts += [str(status.st_size), str(status.st_mtime_ns), tickets.text, tickets.label]
    return _digest(parts)


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
