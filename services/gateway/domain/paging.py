"""Keyset paging: a place in an ordered list, and the opaque cursor that names it."""

import base64
import binascii
from typing import NamedTuple, Self

from shared.errors import BadRequest

MALFORMED = "the cursor is malformed; use one that `next` gave, unchanged, or leave it out"
# What a sorted set's float64 score holds exactly.
LARGEST_SCORE = 2**53


class Position(NamedTuple):
    """A ticket's place: creation time in ms, or doubt, then its id as bytes, which settles ties."""

    score: int
    member: bytes

    @property
    def ticket_id(self) -> str:
        return self.member.decode()

    def cursor(self) -> str:
        """Opaque, URL-safe text; `parse` reads it back."""
        raw = b"%d:%s" % (self.score, self.member)
        return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

    @classmethod
    def parse(cls, cursor: str) -> Self:
        """Raises BadRequest for anything that `cursor` did not write."""
        try:
            padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
            score, colon, member = base64.urlsafe_b64decode(padded).partition(b":")
            position = cls(int(score), member)
            position.ticket_id  # noqa: B018 - an id that is not UTF-8 is no id
        except (binascii.Error, ValueError) as error:
            raise BadRequest(MALFORMED) from error
        # The decoder skips foreign letters and int() takes "+1": only a round trip is proof.
        if not (colon and member) or abs(score_ := position.score) > LARGEST_SCORE:
            raise BadRequest(MALFORMED)
        if position.cursor() != cursor or b"%d" % score_ != score:
            raise BadRequest(MALFORMED)
        return position
