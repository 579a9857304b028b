"""GET /: a page that says what this is and links to all of it."""

import html
from importlib import resources
from string import Template

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from services.gateway.dependencies import Gateway

router = APIRouter()


@router.get("/", include_in_schema=False)
async def home(gateway: Gateway) -> HTMLResponse:
    """Self-contained: no script, no font, nothing fetched from elsewhere."""
    return HTMLResponse(
        page().substitute(
            ingest=html.escape(gateway.settings.ingest_url.rstrip("/")),
            classifier=html.escape(gateway.settings.classifier_url.rstrip("/")),
            forecaster=html.escape(gateway.settings.forecaster_url.rstrip("/")),
        )
    )


def page() -> Template:
    """The page with places for the other services' addresses."""
    source = resources.files("services.gateway.routes").joinpath("home.html")
    return Template(source.read_text("utf-8"))
