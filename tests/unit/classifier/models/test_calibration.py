"""Calibration and the dense softmax regression against what they should equal."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from services.classifier.models.calibration import (
    expert_weights,
    holdout,
    log_loss,
)
from services.classifier.models.fast.replay import ReplayMemory, balanced
from services.classifier.models.logistic import fit_logistic


def made(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    truth = rng.standard_normal((12, 4)).astype(np.float32)
    x = rng.standard_normal((count, 12)).astype(np.float32)
    p = np.exp(x @ truth)
    labels = [rng.choice(4, p=row / row.sum()) for row in p]
    return x @ truth, np.array(labels, np.int32)


def test_temperature_undoes_overconfidence() -> None:
    logits, labels = made(4_000)
    (weight,) = expert_weights([3 * logits], labels, [1.0])
    assert weight == pytest.approx(1 / 3, rel=0.1)


def test_a_useless_expert_counts_little() -> None:
    logits, labels = made(4_000)
    noise = np.random.default_rng(1).standard_normal(logits.shape).astype(np.float32)
    good, bad = expert_weights([logits, noise], labels, [1.0, 1.0])
    assert good == pytest.approx(1.0, rel=0.1)
    assert bad < 0.15
    assert log_loss(good * logits + bad * noise, labels) <= log_loss(logits, labels) + 0.01


def test_without_a_hold_out_the_expected_weights_stay() -> None:
    assert expert_weights([np.zeros((0, 3), np.float32)], np.zeros(0, np.int32), [0.7]) == [0.7]


def test_the_hold_out_takes_a_share_of_each_class_but_spares_small_ones() -> None:
    labels = ["a"] * 100 + ["b"] * 40 + ["c"] * 3
    out = holdout(labels, 0.1, 0)
    assert (out[:100].sum(), out[100:140].sum(), out[140:].sum()) == (10, 4, 0)


def test_the_regression_agrees_with_scikit_learn() -> None:
    rng = np.random.default_rng(3)
    x = rng.standard_normal((600, 20)).astype(np.float32)
    y = np.argmax(x[:, :5] + 0.5 * rng.standard_normal((600, 5)), axis=1).astype(np.int32)
    ours = fit_logistic(x, y, 5, strength=1.0).logits(x)
    theirs = LogisticRegression(C=1.0, tol=1e-8, max_iter=1_000).fit(x, y)
    assert (ours.argmax(1) == theirs.predict(x)).mean() > 0.98
    p = np.exp(ours) / np.exp(ours).sum(axis=1, keepdims=True)
    assert np.abs(p - theirs.predict_proba(x)).mean() < 0.01


def test_importance_is_repetition() -> None:
    rng = np.random.default_rng(4)
    x = rng.standard_normal((200, 6)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int32)
    times = np.array([1, 3] * 100)
    weighed = fit_logistic(x, y, 2, strength=1.0, importance=times.astype(np.float32))
    repeated = fit_logistic(np.repeat(x, times, axis=0), np.repeat(y, times), 2, strength=1.0)
    assert np.abs(weighed.logits(x) - repeated.logits(x)).max() < 0.1


def test_the_replay_memory_is_bounded_and_keeps_corrections() -> None:
    memory = ReplayMemory()
    memory.remember([f"text {i}" for i in range(6_000)], ["a"] * 3_000 + ["b"] * 3_000)
    memory.correct("text 3", "c")
    memory.correct("text 3", "d")
    texts, labels = memory.examples()
    assert len(texts) <= 4_001
    assert labels[texts.index("text 3")] == "d"
    assert texts.count("text 3") == 1


def test_small_classes_are_repeated_towards_the_median() -> None:
    labels = np.array([0] * 40 + [1] * 40 + [2] * 2, np.int32)
    counts = np.bincount(labels[balanced(labels)])
    assert counts.tolist() == [40, 40, 16]


def test_a_refit_sees_old_classes_as_trained_and_new_ones_repeated() -> None:
    memory = ReplayMemory()
    memory.remember([f"text {i}" for i in range(4_300)], ["big"] * 4_000 + ["small"] * 300)
    for number in range(5):
        memory.correct(f"new {number}", "new")
    memory.correct("text 4299", "small")
    texts, labels = memory.examples()
    seen = np.bincount(memory.order(), minlength=len(texts))
    shares = {name: int(sum(seen[[y == name for y in labels]])) for name in ("big", "small", "new")}
    assert shares == {"big": 4_000, "small": 300, "new": 5 * 24}


def test_a_refit_from_corrections_alone_balances_them() -> None:
    memory = ReplayMemory()
    for number in range(12):
        memory.correct(f"text {number}", "ab"[number < 4])
    seen = np.bincount(memory.order())
    assert seen.tolist() == [2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1]


def test_scarce_is_what_corrections_alone_have_told_of() -> None:
    memory = ReplayMemory()
    assert memory.scarce() == {}
    memory.remember([f"text {i}" for i in range(120)], ["big"] * 80 + ["small"] * 40)
    memory.correct("text 1", "big")
    for number in range(5):
        memory.correct(f"new {number}", "new")
    assert memory.scarce() == {"new": 40 / 5}
