"""Telling languages apart, as far as a text gives itself away."""

import pytest

from services.classifier.domain.languages import language_of


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The printer on the second floor does not print", "en"),
        ("Der Drucker im zweiten Stock druckt nicht", "de"),
        ("Принтер на втором этаже не печатает", "ru"),
        ("Je ne peux pas me connecter à mon compte", "fr"),
        ("No puedo entrar en mi cuenta", "es"),
        ("Não consigo entrar na minha conta", "pt"),
        ("Nie mogę się zalogować do swojego konta", "pl"),
        ("Ik kan niet inloggen op mijn account", "nl"),
        ("Non riesco ad accedere al mio account", "it"),
        ("Hesabıma giremiyorum ve bu çok önemli", "tr"),
        ("プリンターが動きません", "ja"),
        ("打印机坏了", "zh"),
        ("الطابعة لا تعمل", "ar"),
        ("เครื่องพิมพ์เสีย", "th"),
        ("프린터가 고장났습니다", "ko"),
    ],
)
def test_a_sentence_says_its_language(text: str, code: str) -> None:
    assert language_of(text) == code


@pytest.mark.parametrize("text", ["", "VPN", "12345", "printer", "\ud800", "🖨🖨🖨"])
def test_where_nothing_speaks_for_one_none_is_guessed(text: str) -> None:
    assert language_of(text) is None


def test_who_sent_it_knows_best() -> None:
    assert language_of("printer", "de-AT") == "de"


def test_a_foreign_name_does_not_decide() -> None:
    assert language_of("Я не могу открыть Excel и Outlook после обновления") == "ru"
