"""Who asked, as a keyed pseudonym: equal for equal requesters, not reversible without the key."""

import hashlib
import hmac

_DIGEST_BYTES = 16


class Pseudonyms:
    """HMAC-SHA256 (RFC 2104), cut to 16 bytes: a plain hash of an address is guessed in minutes."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, requester: str) -> str:
        """32 hexadecimal digits; an unknown requester stays unknown."""
        if not requester:
            return ""
        digest = hmac.digest(self._key, requester.strip().casefold().encode(), hashlib.sha256)
        return digest[:_DIGEST_BYTES].hex()
