"""Pseudonyms: stable under one key, different under another, never the name itself."""

from services.ingest.domain.pseudonyms import Pseudonyms


def test_same_person_same_pseudonym_however_written() -> None:
    pseudonyms = Pseudonyms(b"k" * 32)
    assert pseudonyms.of("Dana@Example.org ") == pseudonyms.of("dana@example.org")


def test_known_answer() -> None:
    # echo -n dana | openssl dgst -sha256 -hmac key, first 16 bytes
    assert Pseudonyms(b"key").of("dana") == "df9c6a0fd6735c948ab3d6bfc7b7fa96"


def test_another_key_another_pseudonym() -> None:
    assert Pseudonyms(b"a" * 32).of("dana") != Pseudonyms(b"b" * 32).of("dana")


def test_nobody_stays_nobody() -> None:
    assert Pseudonyms(b"k").of("") == ""
