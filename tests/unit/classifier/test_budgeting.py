"""A model that learns nothing has a budget all the same: that of its own hold-out."""

import numpy as np

from services.classifier.budgeting import FrozenLabeller, calibration_of
from services.classifier.domain.error_budget import Calibration
from services.classifier.models.batch.classifier import BatchLabeller
from shared import metrics
from tests.fakes import ConstantLabeller


def calibration(rows: int) -> Calibration:
    """Of `vpn`, three quarters sure and always right."""
    answers = np.tile(np.array([[0.75, 0.25]], np.float32), (rows, 1))
    return Calibration.of(("vpn", "printer"), (["vpn"] * rows, answers))


def test_its_thresholds_come_with_its_answers() -> None:
    model = FrozenLabeller(ConstantLabeller(), calibration(300))
    thresholds = model.label(["x", "y"]).thresholds
    assert thresholds is not None
    assert thresholds.tolist() == [0.75, 0.75]
    assert model.identity == ConstantLabeller.identity
    assert metrics.BUDGET_COVERAGE._value.get() == 1.0


def test_a_model_without_a_hold_out_suggests() -> None:
    found = calibration_of(ConstantLabeller())
    thresholds = FrozenLabeller(ConstantLabeller(), found).label(["x"]).thresholds
    assert thresholds is not None
    assert np.isinf(thresholds).all()


def test_a_batch_model_keeps_its_hold_out_when_it_is_saved() -> None:
    texts = [f"{text} {n}" for n in range(200) for text in ("vpn drops", "inbox full")]
    trained = BatchLabeller.train(texts, ["net", "mail"] * 200)
    found = calibration_of(trained)
    assert len(found.labels) == 40
    loaded = calibration_of(BatchLabeller.from_state(trained.state(), "v2"))
    assert loaded.classes == found.classes == ("mail", "net")
    assert (loaded.confidence == found.confidence).all()
    before = trained.state()
    del before["topic"]["calibration"]
    assert calibration_of(BatchLabeller.from_state(before, "v0")).classes == ("mail", "net")
