"""The language of a text, as far as its script or its commonest words give it away."""

import re
import unicodedata
from collections import Counter
from typing import Final

# The beginning says it; a pasted log does not.
_LOOKED_AT: Final = 400
_WORD: Final = re.compile(r"[^\W\d_]+")
# Words of grammar, which no text of some length does without and which hardly another language has.
_GRAMMAR: Final = {
    "en": "the is are i my to and of it not you for with have has was can this that how what",
    "de": "der die das ist nicht ich und mein meine wir zu den dem mit auf für sich wie ein im",
    "fr": "le la les est je ne pas mon ma et des une du nous vous dans pour avec sur que au",
    "es": "el los las es no mi y una por para con que se del en lo como está puedo",
    "it": "il lo gli è non mio mia e una per con che di sono nel della ho come",
    "pt": "o os as é não meu minha e uma para com que do da em eu como está",
    "nl": "de het is niet ik mijn en een van op voor met kan hoe naar wij te",
    "pl": "nie jest się na do i mój moja w z że jak mam dla po czy",
    "tr": "bir ve bu için değil ile ben çok nasıl ama var yok mi",
}
_LANGUAGES_OF: Final[dict[str, frozenset[str]]] = {}
for _code, _words in _GRAMMAR.items():
    for _word in _words.split():
        _LANGUAGES_OF[_word] = _LANGUAGES_OF.get(_word, frozenset()) | {_code}
_SCRIPTS: Final = {
    "CYRILLIC": "ru", "ARABIC": "ar", "THAI": "th", "HANGUL": "ko", "HIRAGANA": "ja",
    "KATAKANA": "ja", "CJK": "zh",
}  # fmt: skip


def language_of(text: str, given: str | None = None) -> str | None:
    """A code of two letters: what the sender said, else a guess; None where nothing speaks for one.

    A script stands for the commonest of its languages: to tell two texts apart that is enough.
    """
    if given:
        return given.partition("-")[0].lower()
    words = _WORD.findall(text[:_LOOKED_AT].casefold())
    scripts = Counter(_script(word) for word in words)
    if scripts["ja"]:
        return "ja"  # Japanese is written with Chinese characters too
    [(script, _)] = scripts.most_common(1) or [(None, 0)]
    return script or _by_grammar(words)


def _script(word: str) -> str | None:
    first = unicodedata.name(word[0], "").partition(" ")[0]
    return _SCRIPTS.get(first)


def _by_grammar(words: list[str]) -> str | None:
    votes: Counter[str] = Counter()
    for word in words:
        votes.update(_LANGUAGES_OF.get(word, ()))
    ranked = votes.most_common(2)
    if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
        return None
    return ranked[0][0]
