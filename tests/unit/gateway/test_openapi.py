"""No answer that the OpenAPI document does not announce: generated requests against every route."""

import asyncio
from typing import Any

import schemathesis

from services.gateway.app import create_app
from tests.unit.gateway.builders import an_entry, ports, small_helpdesk

CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"max-examples": 40, "deterministic": True},
        "checks": {
            # A cursor nobody gave, dates in the wrong order, a queue nobody knows: these keep to
            # the schema, which cannot say more, and are refused as documented.
            "positive_data_acceptance": {"expected-statuses": ["200", "201", "202", "400", "404"]},
        },
        # No schema can say what a CSV file must hold.
        "operations": [
            {
                "include-operation-id": "upload_data",
                "checks": {
                    "positive_data_acceptance": {"expected-statuses": ["200", "404", "422"]}
                },
            }
        ],
    }
)


def _document() -> Any:
    """The gateway over a small helpdesk. Its feed is closed: streams end after what is there."""
    views = small_helpdesk()
    asyncio.run(views.feed(an_entry(1)))
    parts = ports(views)
    parts.feed.close()
    return schemathesis.openapi.from_asgi("/openapi.json", create_app(parts), config=CONFIG)


schema = _document()


@schema.parametrize()  # type: ignore[untyped-decorator]
def test_only_documented_answers(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate()


def test_every_route_is_named_described_and_shown_by_example() -> None:
    document = schema.raw_schema
    operations = {
        f"{method} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
    }
    assert len({operation["operationId"] for operation in operations.values()}) == len(operations)
    for name, operation in operations.items():
        assert operation["summary"], name
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and "/ready" not in name:
                assert list(answer["content"]) == ["application/problem+json"], name
    for model in ("Ticket", "Queues", "TimeSeriesData", "Status", "Problem"):
        assert document["components"]["schemas"][model]["examples"], model
