"""New topics from few corrections or from names alone, and what the encoder costs."""

import time
from statistics import mean, median

from bench.classification_data import TicketSet
from bench.classification_models import MAJORITY, SEMANTIC_SHARE, answers_of, make, silent
from bench.row import Row, row
from services.classifier.evaluation import families, metrics
from services.classifier.evaluation.adaptation import adapt, choose_new_classes
from services.classifier.models.encoding.encoder import shared_encoder

ENCODER_PASSES = 5
ENCODER_BATCH = 512


def adaptation(tickets: TicketSet, draws: int = 3) -> list[Row]:
    """Corrections that ten new topics need, and what the old ones lose, over drawn class sets."""
    found = []
    for stage, share, target in (("fast path", 0.0, 20), ("semantic stage", SEMANTIC_SHARE, 8)):
        runs = []
        for seed in range(draws):
            new = choose_new_classes(tickets.train.labels, 10, seed)
            learner = families.online(make("fast", share), "fast")
            runs.append(adapt(learner, tickets.train, tickets.test, new, seed=seed, report=silent))
        curve = {
            steps[0].k: mean(step.new_f1 for step in steps)
            for steps in zip(*(run.steps for run in runs), strict=True)
        }
        enough = [k for k, score in curve.items() if score > 0.8]
        lost = mean(run.before.old_accuracy - run.steps[-1].old_accuracy for run in runs)
        found += [
            row(
                f"{tickets.name}: corrections until new topics reach F1 .8, {stage}",
                enough[0] if enough else float("inf"),
                "corrections",
                at_most=target,
            ),
            row(
                f"{tickets.name}: accuracy old topics lose by 10 x 30 corrections, {stage}",
                lost,
                "share",
                at_most=0.005,
            ),
        ]
    return found


def names_only(tickets: TicketSet) -> list[Row]:
    """No label was ever seen: the encoder compares tickets with the names of the classes."""
    model = families.zero_shot(sorted(set(tickets.train.labels)))
    majority = metrics.majority_accuracy(tickets.train.labels, tickets.test.labels)
    return [
        row(
            f"{tickets.name}: accuracy from the names of the topics alone",
            metrics.accuracy(answers_of(model, tickets)),
            "share",
            baseline=MAJORITY,
            baseline_value=majority,
            at_least=0.55,
        )
    ]


def encoder(tickets: TicketSet) -> list[Row]:
    """CPU of the encoder on short tickets and on distinct words, batches of 512."""
    model = shared_encoder()
    texts = tickets.test.texts[:ENCODER_BATCH]
    words = sorted({word for text in tickets.train.texts for word in text.split()})
    words = words[:ENCODER_BATCH]
    model.encode(texts)
    model.encode_words(words)
    ticket_seconds, word_seconds = [], []
    for _ in range(ENCODER_PASSES):
        start = time.process_time()
        model.encode(texts)
        between = time.process_time()
        model.encode_words(words)
        ticket_seconds.append((between - start) / len(texts))
        word_seconds.append((time.process_time() - between) / len(words))
    return [
        row(
            f"{tickets.name}: encoder, one ticket in a batch of {len(texts)}",
            1e6 * median(ticket_seconds),
            "us",
            at_most=350,
        ),
        row(
            f"{tickets.name}: encoder, distinct words per CPU-second",
            1.0 / median(word_seconds),
            "words/s",
            at_least=5_000,
        ),
    ]
