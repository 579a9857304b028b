"""What others have: scikit-learn's best text model and river's two best online ones."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import compose, feature_extraction, linear_model, multiclass, naive_bayes, optim
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from services.classifier.domain.labelling import Probabilities


class ScikitLearn:
    """TF-IDF of words, word pairs and character n-grams, logistic regression: a stock pipeline."""

    def __init__(self) -> None:
        features = make_union(
            TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, dtype=np.float32),
            TfidfVectorizer(
                sublinear_tf=True,
                analyzer="char_wb",
                ngram_range=(2, 5),
                min_df=2,
                dtype=np.float32,
            ),
        )
        self._pipeline = make_pipeline(features, LogisticRegression(C=10.0, max_iter=200))

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order of the columns."""
        return tuple(self._pipeline.classes_)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """Learn from scratch."""
        self._pipeline.fit(texts, labels)

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes)."""
        return np.asarray(self._pipeline.predict_proba(texts), dtype=np.float32)

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Minus the largest probability, the stock choice."""
        return np.asarray(-self.predict_proba(texts).max(axis=1), dtype=np.float32)


class River:
    """A river pipeline, one ticket at a time: its mini-batches answer wrong labels (0.26.1)."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self._classes: list[str] = []

    @property
    def classes(self) -> tuple[str, ...]:
        """In the order in which they were met."""
        return tuple(self._classes)

    def fit(self, texts: Sequence[str], labels: Sequence[str]) -> None:
        """One pass, in an order drawn once: files are often sorted by label."""
        for row in np.random.default_rng(0).permutation(len(texts)).tolist():
            self._learn(texts[row], labels[row])

    def predict_proba(self, texts: Sequence[str]) -> Probabilities:
        """Shape (texts, classes)."""
        return np.asarray([self._row(text) for text in texts], dtype=np.float32)

    def novelty(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Minus the largest probability."""
        return np.asarray(-self.predict_proba(texts).max(axis=1), dtype=np.float32)

    def _learn(self, text: str, label: str) -> None:
        if label not in self._classes:
            self._classes.append(label)
        self._pipeline.learn_one(text, label)

    def _row(self, text: str) -> Iterable[float]:
        scores = self._pipeline.predict_proba_one(text)
        return [scores.get(label, 0.0) for label in self._classes]


def river_bayes() -> River:
    """Bag of words and multinomial naive Bayes: river's fastest good one."""
    return River(
        compose.Pipeline(
            feature_extraction.BagOfWords(lowercase=True), naive_bayes.MultinomialNB(alpha=0.1)
        )
    )


def river_softmax() -> River:
    """TF-IDF and one-versus-rest logistic regression by AdaGrad: river's most accurate."""
    learner = linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.5))
    return River(
        compose.Pipeline(
            feature_extraction.TFIDF(lowercase=True), multiclass.OneVsRestClassifier(learner)
        )
    )
