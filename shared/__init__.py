"""What two rooms must agree on, and nothing else: events, topics, keys, the batch loop, errors."""
