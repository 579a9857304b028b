"""TF-IDF features of the batch model: words, word pairs and character n-grams."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse
from sklearn.feature_extraction.text import TfidfVectorizer

# What a ticket says, it says early; a pasted log of a megabyte must not cost 50 ms.
MAX_CHARACTERS = 8_192
# L-BFGS keeps some twenty vectors of features x classes; this bounds them to about a gigabyte.
MOST_WEIGHTS = 1 << 22
LEAST_FEATURES = 20_000
# N-grams seen once are dropped, except from few texts, where they are most of what there is, and
# words and pairs where few classes leave room for them: worth .2 to .3 points on long IT tickets
# of 8 queues, while they cost as much on short queries of 77 intents.
ROOM_FOR_RARE_WORDS = 100_000
SMALL_CORPUS = 2_000
BLOCKS: dict[str, dict[str, Any]] = {
    "word": {"analyzer": "word", "ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b"},
    "character": {"analyzer": "char_wb", "ngram_range": (2, 5)},
}


def normalise(text: str) -> str:
    """NFC, case-folded for every script, lone surrogates replaced, cut at MAX_CHARACTERS."""
    head = text[:MAX_CHARACTERS].encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", head).casefold())


class TfidfFeatures:
    """Texts to one sparse matrix, shape (texts, features): the blocks side by side."""

    def __init__(self) -> None:
        self._vectorizers: dict[str, TfidfVectorizer] = {}

    def fit_transform(self, texts: Sequence[str], classes: int) -> sparse.csr_matrix:
        """Learn vocabulary and document frequencies. ValueError when no text has a word.

        With many classes only the commonest n-grams are kept.
        """
        prepared = [normalise(text) for text in texts]
        if not any(text.strip() for text in prepared):
            raise ValueError("no text holds a word to learn from")
        few = len(prepared) < SMALL_CORPUS
        most = max(LEAST_FEATURES, MOST_WEIGHTS // max(classes, 1) // len(BLOCKS))
        parts = []
        for name, options in BLOCKS.items():
            rare = few or (name == "word" and most >= ROOM_FOR_RARE_WORDS)
            vectorizer = _vectorizer(options, min_df=1 if rare else 2, max_features=most)
            parts.append(vectorizer.fit_transform(prepared))
            self._vectorizers[name] = vectorizer
        return sparse.hstack(parts, format="csr", dtype=np.float32)

    def transform(self, texts: Sequence[str]) -> sparse.csr_matrix:
        """Features of new texts; an n-gram never seen in training is left out."""
        if not texts:
            width = sum(len(vectorizer.idf_) for vectorizer in self._vectorizers.values())
            return sparse.csr_matrix((0, width), dtype=np.float32)
        prepared = [normalise(text) for text in texts]
        parts = [vectorizer.transform(prepared) for vectorizer in self._vectorizers.values()]
        return sparse.hstack(parts, format="csr", dtype=np.float32)

    def state(self) -> dict[str, dict[str, Any]]:
        """Plain text and arrays only, so that a saved model holds nothing that could run.

        Terms are joined by line feeds: neither a word nor a character n-gram can contain one.
        """
        return {
            name: {
                "terms": "\n".join(vectorizer.get_feature_names_out()),
                "idf": vectorizer.idf_.astype(np.float32),
            }
            for name, vectorizer in self._vectorizers.items()
        }

    @classmethod
    def from_state(cls, state: dict[str, dict[str, Any]]) -> "TfidfFeatures":
        """The features that `state` described."""
        features = cls()
        for name, options in BLOCKS.items():
            terms = state[name]["terms"].split("\n")
            vectorizer = _vectorizer(options, vocabulary={t: i for i, t in enumerate(terms)})
            vectorizer.idf_ = np.asarray(state[name]["idf"], dtype=np.float32)
            features._vectorizers[name] = vectorizer
        return features


def _vectorizer(options: dict[str, Any], **more: Any) -> TfidfVectorizer:
    return TfidfVectorizer(lowercase=False, sublinear_tf=True, dtype=np.float32, **options, **more)
