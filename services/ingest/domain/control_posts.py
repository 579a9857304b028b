"""What a client may post to steer the models: each becomes one control record of the log."""

from abc import abstractmethod
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.ingest.domain.masking import mask
from services.ingest.domain.posts import Id, Name

# Names are folders of the models' store, so no separator and no leading dot.
Version = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Digest = Annotated[str, Field(pattern=r"^[0-9A-Za-z:_-]{8,128}$")]


class ControlPost(BaseModel):
    """Base: who steers, and a name under which a repetition is known again."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    kind: ClassVar[str]

    event_id: Id | None = None
    actor: Id = Field(description="Who does it.")

    def instants(self) -> Iterator[tuple[str, datetime]]:
        yield from ()

    def record(self, now: datetime) -> dict[str, object]:
        """The control record without its event id, as `shared.events` has it."""
        head = {"kind": self.kind, "received_at": now, "actor": self.actor}
        return head | self.said()

    @abstractmethod
    def said(self) -> dict[str, object]:
        """The fields of this kind alone."""


class TopicPost(ControlPost):
    """A topic that exists from now on, with or without examples."""

    model_config = ConfigDict(title="Topic")
    kind = "topic"

    name: Name
    description: Annotated[str, Field(max_length=1_000)] = Field(
        default="", description="What belongs to it, in words."
    )

    def said(self) -> dict[str, object]:
        return {"name": self.name, "description": mask(self.description)}


class UndoPost(ControlPost):
    """Takes back one correction, or all of one person so far: what it set and what it taught."""

    model_config = ConfigDict(
        title="Undo",
        json_schema_extra={"oneOf": [{"required": [name]} for name in ("correction", "corrector")]},
    )
    kind = "undo"

    correction: Id | None = Field(default=None, description="Event id of the correction.")
    corrector: Id | None = Field(default=None, description="Whose corrections.")

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if (self.correction is None) == (self.corrector is None):
            raise PydanticCustomError(
                "nothing_named", "Input should name either a correction or a corrector"
            )
        return self

    def said(self) -> dict[str, object]:
        return {"correction": self.correction, "corrector": self.corrector}


class DismissalPost(ControlPost):
    """An emerging topic that need not be proposed again."""

    model_config = ConfigDict(title="Dismissal")
    kind = "dismissal"

    proposal: Id = Field(description="Id of the proposal.")

    def said(self) -> dict[str, object]:
        return {"proposal": self.proposal}


class PromotionPost(ControlPost):
    """A trained model that every worker answers from, from here on."""

    model_config = ConfigDict(title="Promotion")
    kind = "promotion"

    version: Version = Field(description="The name it was saved under.")
    digest: Digest = Field(description="Of the saved model; a worker loads no other.")
    log_offset: Annotated[int, Field(ge=0, lt=2**63)] = Field(
        description="It was trained on the corrections before this offset."
    )

    def said(self) -> dict[str, object]:
        return {"version": self.version, "digest": self.digest, "log_offset": self.log_offset}


CONTROLS: tuple[type[ControlPost], ...] = (TopicPost, UndoPost, DismissalPost, PromotionPost)
