"""HTTP in. Writes tickets.received.v1 and tickets.corrected.v1; a 202 means Kafka has it."""
