"""The outside world of the forecaster: Redis."""
