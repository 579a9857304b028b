"""The model of the suite: trained as people train one, on a file that fits on a page."""

import csv
import random
import subprocess
import sys
from pathlib import Path

from deploy.local.workspace import CHECKOUT

ROWS = 240
TOPICS = {
    "Network": ("vpn", "wifi", "router", "dns"),
    "Hardware": ("laptop", "screen", "keyboard", "battery"),
    "Access": ("password", "login", "account", "token"),
    "Billing": ("invoice", "refund", "charge", "payment"),
}
PRIORITIES = ("low", "normal", "high")


def train(directory: Path, rows: int = ROWS) -> Path:
    """Make a model in `directory`, answer it; from some 500 rows on it has a hold-out."""
    draw = random.Random(7)
    directory.mkdir(parents=True, exist_ok=True)
    corpus = directory.parent / "corpus.csv"
    with corpus.open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["text", "topic", "priority"])
        for _ in range(rows):
            topic, priority = draw.choice(list(TOPICS)), draw.choice(PRIORITIES)
            words = " ".join(draw.choices(TOPICS[topic], k=2))
            lines.writerow([f"{words} is broken, {priority}", topic, priority])
    command = [sys.executable, "-m", "services.classifier", "train", "--data", str(corpus)]
    command += ["--text", "text", "--label", "topic", "--priority", "priority"]
    command += ["--models", str(directory)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return directory
