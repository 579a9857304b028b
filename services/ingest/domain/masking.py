"""Takes e-mail addresses and payment card numbers out of text before it reaches the log."""

import re

EMAIL = "[email]"
CARD = "[card]"
# RFC 5321: a local part has at most 64 octets.
_LOCAL_LIMIT = 64
# The domain is searched first and the local part read backwards from its @, so that the time is
# linear in the text: a pattern beginning with the local part is quadratic in "aaaa...".
_DOMAIN = re.compile(r"@(?:[\w-]{1,63}\.)+[^\W\d_]{2,63}")
_LOCAL_BACKWARDS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+")
# Runs of digits with single separators, as people write card numbers.
_DIGITS = re.compile(r"[0-9](?:[ \u00a0-]?[0-9]){12,}")
_GROUP = re.compile(r"[0-9]+")
_CARD_LENGTHS = range(13, 20)
# 4-4-4-4, 4-6-5, 6-13 or unbroken: no issuer prints a shorter first group.
_FIRST_GROUP = 4
# ISO/IEC 7812 major industry identifiers of payment cards; 1 would catch unix milliseconds.
_CARD_STARTS = frozenset("23456")
_DOUBLED = bytes.maketrans(b"0123456789", bytes([0, 2, 4, 6, 8, 1, 3, 5, 7, 9]))
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))


def mask(text: str) -> str:
    """`text` with every e-mail address and Luhn-valid card number replaced by a placeholder."""
    if "@" in text:
        text = _mask_emails(text)
    return _DIGITS.sub(_mask_run, text)


def luhn_valid(digits: str) -> bool:
    """ISO/IEC 7812-1 annex B: the check digit of payment cards."""
    raw = digits.encode()
    odd, even = raw[-1::-2], raw[-2::-2]
    return (sum(odd.translate(_PLAIN)) + sum(even.translate(_DOUBLED))) % 10 == 0


def _mask_emails(text: str) -> str:
    parts: list[str] = []
    end = 0
    for found in _DOMAIN.finditer(text):
        before = text[max(end, found.start() - _LOCAL_LIMIT) : found.start()]
        local = _LOCAL_BACKWARDS.match(before[::-1])
        if local is None:
            continue
        parts += (text[end : found.start() - local.end()], EMAIL)
        end = found.end()
    return "".join(parts) + text[end:] if parts else text


def _mask_run(run: re.Match[str]) -> str:
    """Mask the cards in a run of digit groups; a card begins and ends with whole groups."""
    text = run[0]
    groups = [(m.start(), m.end()) for m in _GROUP.finditer(text)]
    parts: list[str] = []
    first = end = 0
    while first < len(groups):
        last = _card_ending(text, groups, first)
        if last is None:
            first += 1
            continue
        parts += (text[end : groups[first][0]], CARD)
        end = groups[last][1]
        first = last + 1
    return "".join(parts) + text[end:] if parts else text


def _card_ending(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """Index of the last group of the longest card that begins with group `first`."""
    start, end = groups[first]
    if text[start] not in _CARD_STARTS or end - start < _FIRST_GROUP:
        return None
    digits = ""
    found = None
    for index in range(first, len(groups)):
        digits += text[groups[index][0] : groups[index][1]]
        if len(digits) >= _CARD_LENGTHS.stop:
            break
        if len(digits) in _CARD_LENGTHS and luhn_valid(digits):
            found = index
    return found
