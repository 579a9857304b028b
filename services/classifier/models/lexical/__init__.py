"""Hashed n-grams and the linear softmax over them: the kernels of the hot path."""
