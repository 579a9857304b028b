"""Pages over HTTP: what a query of one may say, and where the next one is."""

from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Response
from pydantic import Field

from services.gateway.dependencies import Query
from services.gateway.domain.paging import Position

LINK = {"Link": {"description": 'The next page, `rel="next"`.', "schema": {"type": "string"}}}
Cursor = Annotated[str, Field(max_length=1024, pattern="^[A-Za-z0-9_-]+$")]


class PageQuery(Query):
    """Base of the query of a page."""

    limit: int = Field(default=50, ge=1, le=200)
    cursor: Cursor | None = Field(default=None, description="`next` of the page before, unchanged.")

    @property
    def before(self) -> Position | None:
        """The place this page comes after. Raises BadRequest."""
        return Position.parse(self.cursor) if self.cursor else None

    def link(self, response: Response, path: str, after: Position | None) -> str | None:
        """The cursor of the page after this one, linked in `response`; None at the end."""
        if after is None:
            return None
        following = after.cursor()
        parameters: dict[str, Any] = self.model_dump(exclude_none=True) | {"cursor": following}
        response.headers["Link"] = f'<{path}?{urlencode(parameters)}>; rel="next"'
        return following
