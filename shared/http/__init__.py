"""The HTTP side that all services share: problems, health, metrics."""

from shared.http.service import Check, create_service

__all__ = ["Check", "create_service"]
