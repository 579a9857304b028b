"""The hot path: the classifier, its serving heads, and the fold of corrections."""
