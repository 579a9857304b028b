"""Judging models: metrics, splits, streams, adaptation. What serves is what is judged."""
