"""POST of what steers the models: topics, undoing, dismissed proposals, promotions."""

from typing import Any, NamedTuple

from fastapi import FastAPI, Request, Response

from services.ingest import examples
from services.ingest.domain.admission import Admission, Message
from services.ingest.domain.control_posts import (
    ControlPost,
    DismissalPost,
    PromotionPost,
    TopicPost,
    UndoPost,
)
from services.ingest.routes.document import ANSWERS, IDEMPOTENT, request_body
from services.ingest.routes.intake import Intake
from shared import topics


class Control(NamedTuple):
    """One kind of control record over HTTP."""

    path: str
    summary: str
    post: type[ControlPost]
    full: dict[str, Any]
    small: dict[str, Any]
    teaches: bool = False


CONTROLS = (
    Control("/v1/topics", "Name topics", TopicPost, examples.TOPIC, examples.SMALL_TOPIC),
    Control(
        "/v1/undo",
        "Take corrections back: what they set and what they taught",
        UndoPost,
        examples.UNDO,
        examples.UNDO_ALL,
        teaches=True,
    ),
    Control(
        "/v1/proposals/dismissals",
        "Propose an emerging topic no more",
        DismissalPost,
        examples.DISMISSAL,
        examples.SMALL_DISMISSAL,
    ),
    Control(
        "/v1/promotions",
        "Let every worker answer from a trained model",
        PromotionPost,
        examples.PROMOTION,
        examples.SMALL_PROMOTION,
    ),
)


def add_control_routes(
    app: FastAPI, intake: Intake, admission: Admission, *, max_events: int
) -> None:
    """One route per kind of control record."""
    for control in CONTROLS:
        _add(app, control, intake, admission, max_events)


def _add(
    app: FastAPI, control: Control, intake: Intake, admission: Admission, max_events: int
) -> None:
    kind = control.post.kind

    async def admit(raw: bytes, content_type: str, key: str | None) -> list[Message]:
        return admission.controls(control.post, raw, content_type, key)

    async def take(request: Request) -> Response:
        return await intake.take(request, kind, topics.CORRECTED, admit, teaches=control.teaches)

    body = request_body(control.post, max_events, control.full, control.small)
    app.add_api_route(
        control.path,
        take,
        methods=["POST"],
        name=f"post_{kind}",
        summary=control.summary,
        openapi_extra=IDEMPOTENT | body,
        **ANSWERS,
    )
