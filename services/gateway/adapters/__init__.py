"""Redis and the other services' readiness, behind ports."""
