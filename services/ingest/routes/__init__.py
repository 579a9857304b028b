"""What ingest takes over HTTP: tickets, corrections, and what steers the models."""
