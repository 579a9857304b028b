"""The outside world of the classifier: artifact stores and brokers."""
