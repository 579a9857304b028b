"""Topics that emerge, as the semantic worker tells them and the gateway passes them on."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class ExampleTicket(BaseModel):
    """A ticket that shows what a proposal is about; texts are cut at 1,000 characters."""

    model_config = ConfigDict(from_attributes=True)

    ticket_id: str
    subject: str
    body: str
    labelled: bool = Field(description="Whether a human has said since what it is about.")


class ProposedTopic(BaseModel):
    """A topic that emerges among tickets that no known topic explains."""

    model_config = ConfigDict(from_attributes=True)

    id: str = Field(examples=["p-6f1d0c2a9b3e"])
    name: str = Field(description="Made of its terms; whoever accepts it gives it a better one.")
    terms: tuple[str, ...] = Field(description="Telling words and pairs of words, most so first.")
    tickets: int
    requesters: int = Field(description="Distinct ones; counted up to a hundred.")
    first_seen: datetime
    last_seen: datetime
    fate: Literal["growing", "dismissed", "named"]
    examples: tuple[ExampleTicket, ...]


class Proposals(BaseModel):
    """What emerges, most tickets first, as of an offset of the correction log."""

    proposals: list[ProposedTopic]
    log_offset: int
