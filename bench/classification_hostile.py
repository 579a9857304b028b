"""What the worst texts cost: each has an answer, and none may stall the batch it arrives in."""

import time
from collections.abc import Callable

from bench.classification_data import SEED, made_up
from bench.row import Row, row
from services.classifier.models.encoding.encoder import shared_encoder
from services.classifier.models.fast.explanation import top_words
from services.classifier.models.fast.heads import TextHead

TOPICS = 10_000
PASSES = 3
TEXTS = {
    "nothing": "",
    "a megabyte of words": "the printer is on fire " * 43_000,
    "a megabyte of one character": "x" * 1_000_000,
    "a megabyte of blanks": " " * 1_000_000,
    "a megabyte of Cyrillic": "не работает принтер " * 27_000,
    "a megabyte of ideographs": "打印机坏了" * 66_000,
    "lone surrogates": "\ud800\udfff" * 1_000,
    "zeros": "\x00" * 10_000,
    "control tokens": "<s></s><unk>" * 1_000,
    "emoji": "\U0001f642\U0001f44d" * 5_000,
    "right to left": "الطابعة لا تعمل " * 600,
    "capitals": "PRINTER BROKEN " * 600,
}


def hostile() -> list[Row]:
    """The dearest of the texts for each thing that is done with one, and many topics."""
    tickets = made_up()
    model = TextHead(seed=SEED, encoder=shared_encoder())
    model.fit(tickets.train.texts, tickets.train.labels)
    done: dict[str, Callable[[str], object]] = {
        "answered": lambda text: model.predict_proba([text], live=True),
        "judged for novelty": lambda text: model.novelty([text]),
        "explained": lambda text: top_words(model, text, model.classes[0]),
        "encoded": lambda text: shared_encoder().encode([text]),
        "corrected": lambda text: model.correct(text, model.classes[0]),
    }
    return [_dearest(name, action) for name, action in done.items()] + _many_topics(model)


def _dearest(name: str, action: Callable[[str], object]) -> Row:
    """The text that costs most, at its cheapest of some passes: a neighbour is not its fault."""
    action("warm")
    spent = {kind: min(_cpu(action, text) for _ in range(PASSES)) for kind, text in TEXTS.items()}
    kind = max(spent, key=lambda each: spent[each])
    return row(f"bad input, {name}: the dearest, {kind}", 1e3 * spent[kind], "ms", at_most=50)


def _many_topics(model: TextHead) -> list[Row]:
    spent = [_cpu(model.add_class, f"topic {number}") for number in range(TOPICS)]
    asked = min(_cpu(model.predict_proba, ["the printer is on fire"]) for _ in range(PASSES))
    taught = min(_cpu(lambda text: model.correct(text, "topic 9"), "toner") for _ in range(PASSES))
    return [
        row(f"{TOPICS:,} topics: naming one, the dearest", 1e3 * max(spent), "ms", at_most=50),
        row(f"{TOPICS:,} topics: one ticket answered", 1e3 * asked, "ms", at_most=50),
        row(f"{TOPICS:,} topics: one correction", 1e3 * taught, "ms", at_most=50),
    ]


def _cpu(action: Callable[..., object], text: object) -> float:
    began = time.process_time()
    action(text)
    return time.process_time() - began
