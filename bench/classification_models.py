"""Models as the benchmark makes and asks them: by the code that serves and judges."""

from bench.classification_data import SEED, TicketSet
from services.classifier.domain.labelling import TextClassifier
from services.classifier.evaluation import families
from services.classifier.evaluation.judging import answer
from services.classifier.evaluation.metrics import Answers

SEMANTIC_SHARE = 0.10
MAJORITY = "majority class"


def answers_of(model: TextClassifier, tickets: TicketSet) -> Answers:
    """The model's answers to the held-out tickets."""
    table = answer(model, tickets.test.texts, silent)
    return Answers.of(tickets.test.labels, model.classes, table)


def make(name: str, semantic_share: float = 0.0) -> TextClassifier:
    """A fresh model, as `evaluate` makes it."""
    return families.maker(name, SEED, semantic_share, silent)()


def silent(step: str, done: int, total: int) -> None:
    """Nobody watches a model that is being measured."""
