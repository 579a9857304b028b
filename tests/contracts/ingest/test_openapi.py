"""Ingest keeps what its OpenAPI document says, whatever is posted."""

from datetime import UTC, datetime
from typing import Any

import orjson
import schemathesis
from hypothesis import HealthCheck, settings

from services.ingest.adapters.publisher import InMemoryPublisher
from services.ingest.adapters.ticket_texts import InMemoryTicketTexts
from services.ingest.app import create_app
from services.ingest.settings import IngestSettings

schema = schemathesis.openapi.from_asgi(
    "/openapi.json",
    create_app(
        IngestSettings(),
        InMemoryPublisher(partitions=4),
        InMemoryTicketTexts(),
        lambda: datetime(2026, 3, 5, tzinfo=UTC),
        b"k" * 32,
    ),
    config=schemathesis.Config.from_dict(
        {
            "checks": {
                # Too many elements are 413 here: a refusal too.
                "negative_data_rejection": {"expected-statuses": [413, 415, 422]},
                # A format cannot say "between 2000 and tomorrow".
                "positive_data_acceptance": {"enabled": False},
            }
        }
    ),
)


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def lines(_: object, value: object) -> bytes:
    """The document calls these strings: lines of JSON."""
    return value.encode("utf-8", "replace") if isinstance(value, str) else orjson.dumps(value)


@schema.include(path_regex="^/v1/").parametrize()
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_answers_are_documented(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()
