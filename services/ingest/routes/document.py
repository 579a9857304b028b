"""What the OpenAPI document says of a route; the handlers read raw bytes, parsed once."""

from typing import Any

import orjson
from pydantic import BaseModel, Field

from services.ingest.domain.bodies import JSON, NDJSON
from shared.http.problems import responses


class Accepted(BaseModel):
    """All of the request's events are in Kafka, acknowledged by every replica in sync."""

    accepted: int = Field(ge=1, description="Events of this request.", examples=[2])


IDEMPOTENT: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string"},
            "description": "Repeat a request with the same key and body, and elements without an "
            "event id get the same ones: nothing counts twice. Keys are for one route, and nothing "
            "is kept of them: under a used key another body, or another route, is another request, "
            "which counts by itself.",
        }
    ]
}
_DESCRIPTION = (
    "One JSON object, a JSON array or NDJSON. All or nothing: 202 means that Kafka "
    "acknowledged every event, any other answer that none should be counted on. After a 503 "
    "repeat the request with the same event ids; what arrived twice is counted once."
)
ANSWERS: dict[str, Any] = {
    "tags": ["ingest"],
    "description": _DESCRIPTION,
    "status_code": 202,
    "response_model": Accepted,
    "responses": responses(413, 415, 422, 503),
}


def request_body(
    model: type[BaseModel], max_events: int, full: dict[str, Any], small: dict[str, Any]
) -> dict[str, Any]:
    """The three forms of a body of `model`s, with a full and a small example."""
    one = model.model_json_schema()
    lines = "\n".join(orjson.dumps(example).decode() for example in (full, small)) + "\n"
    content: dict[str, Any] = {
        JSON: {
            "schema": {
                "anyOf": [
                    one,
                    {"type": "array", "items": one, "minItems": 1, "maxItems": max_events},
                ]
            },
            "examples": {
                "one": {"summary": "One, with every field", "value": full},
                "least": {"summary": "One, with what is required", "value": small},
                "array": {"summary": "Several", "value": [full, small]},
            },
        }
    }
    for media_type in NDJSON:
        content[media_type] = {"schema": {"type": "string"}, "example": lines}
    return {"requestBody": {"required": True, "content": content}}
