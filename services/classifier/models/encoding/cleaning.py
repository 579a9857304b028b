"""Cleaning before encoding: what a ticket says without its shouting, greeting and signature."""

import re
from typing import Final

# The encoder reads a prefix only; a pasted log must not cost its whole length in regular
# expressions. Tokens are a third of this at most.
CHARACTER_CAP: Final = 2_000

_GREETING: Final = re.compile(
    r"\A\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)"
    r"|hallo|guten (?:tag|morgen|abend)"
    r"|sehr geehrte[rn]?|liebe[rs]?|bonjour|hola|buongiorno|ciao|ola|olá|dzień dobry|merhaba"
    r"|здравствуйте|добрый (?:день|вечер)|доброе утро|привет|уважаем\w+)\b"
    r"(?:[ \t]+[\w.'’-]+){0,4}[ \t]*(?:[,!]+\s*|\n+)",
    re.IGNORECASE,
)
_SIGNATURE: Final = re.compile(
    r"(?:\n--[ \t]*\n|[\n,.!?]\s*(?:(?:kind|best|warm|many)?\s*regards|best wishes|sincerely"
    r"|thanks in advance|many thanks"
    r"|(?:mit freundlichen|viele) gr(?:ü|ue)(?:ß|ss)en?"
    r"|cordialement|saludos|cordiali saluti|с уважением)\b(?:[ \t]*[,.!]|[ \t]*\n|\s*\Z)).*\Z",
    re.IGNORECASE | re.DOTALL,
)
_TICKET_ID: Final = re.compile(
    r"(?:\[|\()?\b(?:ticket|case|incident|request|anfrage|vorgang|заявка|тикет|inc|req|sr|cs)"
    r"[ \t]*(?:no\.?|nr\.?|id|№|#|:|-)*[ \t]*\d{4,}(?:\]|\))?:?|\[#\d+\]:?|(?<!\w)#\d{4,}:?",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"\w")


def clean(text: str) -> str:
    """The text to encode; empty when there is nothing to encode.

    Measured on the encoder: capitals cost half its accuracy, a greeting and signature a sixth, a
    ticket number hides near-duplicates. Whatever would leave nothing is not removed.
    """
    text = text[:CHARACTER_CAP].encode("utf-8", "replace").decode("utf-8")
    for pattern, instead in ((_TICKET_ID, " "), (_SIGNATURE, ""), (_GREETING, "")):
        shorter = pattern.sub(instead, text, count=0 if pattern is _TICKET_ID else 1)
        if _WORD.search(shorter):
            text = shorter
    text = _unshouted(text).strip()
    return text if _has_content(text) else ""


def _unshouted(text: str) -> str:
    capitals = sum(map(str.isupper, text))
    if capitals < 4:
        return text
    small = sum(map(str.islower, text))
    return text.lower() if capitals > small else text


def _has_content(text: str) -> bool:
    """Blanks and invisible characters encode to a confident vector of nothing."""
    return any(c.isprintable() and not c.isspace() for c in text)
