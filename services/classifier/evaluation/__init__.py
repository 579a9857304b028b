"""Judging models: metrics, splits, streams, adaptation. The code that serves is the code that is judged."""
