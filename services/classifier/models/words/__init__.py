"""Distinct words, encoded once in the background, and what they add to a score."""
