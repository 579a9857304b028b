"""HTTP out: tickets, live labels and queue load. Reads Redis, writes nothing."""
