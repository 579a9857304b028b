"""Cost per ticket, on a clock that the model itself drives."""

from collections.abc import Sequence

import pytest

from services.classifier.domain.labelling import Probabilities
from services.classifier.evaluation.cost import measure, peak_rss_mb
from tests.unit.classifier.evaluation.word_votes import WordVotes


class Metered(WordVotes):
    """Each call takes a millisecond and a tenth more for every text."""

    def __init__(self) -> None:
        super().__init__()
        self.fit(["a", "b"], ["a", "b"])
        self.now = 0.0

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        self.now += 1e-3 + 1e-4 * len(texts)
        return super().predict_proba(texts)


def test_the_cost_of_each_batch_size() -> None:
    model = Metered()
    found = measure(model, ["text"] * 1_024, clock=lambda: model.now)
    assert found.tickets_per_cpu_second == pytest.approx(512 / (1e-3 + 512e-4))
    assert found.tickets_per_cpu_second_batch32 == pytest.approx(32 / (1e-3 + 32e-4))
    assert found.single_ticket_us == pytest.approx(1_100)


def test_a_last_batch_that_is_not_full_is_left_out() -> None:
    model = Metered()
    found = measure(model, ["text"] * 33, clock=lambda: model.now)
    assert found.tickets_per_cpu_second_batch32 == pytest.approx(32 / (1e-3 + 32e-4))
    assert found.tickets_per_cpu_second == pytest.approx(33 / (1e-3 + 33e-4))


def test_without_a_text_there_is_no_cost() -> None:
    with pytest.raises(ValueError, match="at least one text"):
        measure(Metered(), [])


def test_the_peak_of_memory_is_in_megabytes() -> None:
    assert 10.0 < peak_rss_mb() < 100_000.0
