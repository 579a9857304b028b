"""What was asked when a process ended is known to the next, and nothing else is."""

from pathlib import Path

import pytest

from services.classifier.adapters.asked_texts import AskedTexts

MODEL = "suite 1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "asked-here-8002"


def _die_while_asking(path: Path, texts: list[str], model: str = MODEL) -> None:
    with AskedTexts(path, model) as asked:
        asked.begin(["other"])
        asked.end()
        asked.begin(texts)


def test_texts_under_way_at_the_end_are_counted(path: Path) -> None:
    _die_while_asking(path, ["a", "b", "lone \ud800 surrogate"])
    with AskedTexts(path, MODEL) as asked:
        assert asked.suspicious
        assert [asked.deaths(text) for text in ("a", "b", "lone \ud800 surrogate")] == [1, 1, 1]
        assert asked.deaths("other") == 0


def test_deaths_add_up_until_there_is_an_answer(path: Path) -> None:
    _die_while_asking(path, ["a", "b"])
    _die_while_asking(path, ["b"])
    with AskedTexts(path, MODEL) as asked:
        assert (asked.deaths("a"), asked.deaths("b")) == (1, 2)
        asked.begin(["a"])
        asked.end()
        assert (asked.deaths("a"), asked.deaths("b")) == (0, 2)
    with AskedTexts(path, MODEL) as asked:
        assert (asked.deaths("a"), asked.deaths("b")) == (0, 2)


def test_the_same_text_twice_in_a_batch_is_one_death(path: Path) -> None:
    _die_while_asking(path, ["a", "a"])
    with AskedTexts(path, MODEL) as asked:
        assert asked.deaths("a") == 1


def test_an_orderly_end_leaves_nobody_suspected(path: Path) -> None:
    with AskedTexts(path, MODEL) as asked:
        asked.begin(["a"] * 1_000)
        asked.end()
    with AskedTexts(path, MODEL) as asked:
        assert not asked.suspicious


def test_another_model_starts_without_a_past(path: Path) -> None:
    _die_while_asking(path, ["a"])
    _die_while_asking(path, ["b"])
    with AskedTexts(path, "suite 2") as asked:
        assert asked.deaths("a") == 0


@pytest.mark.parametrize("content", [b"\x01", b"\xff\xff\xff\xff12345", b"\x02\x00\x00\x00short"])
def test_a_damaged_file_is_read_as_far_as_it_goes(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)
    with AskedTexts(path, MODEL) as asked:
        asked.begin(["a"])
        asked.end()
    with AskedTexts(path, MODEL) as asked:
        assert asked.deaths("a") == 0


@pytest.mark.parametrize("content", [b"", b"[]", b'{"model": "suite 1", "deaths": {"zz": 1}}'])
def test_damaged_counts_are_forgotten(path: Path, content: bytes) -> None:
    _die_while_asking(path, ["a"])
    path.with_name(f"{path.name}.deaths.json").write_bytes(content)
    with AskedTexts(path, MODEL) as asked:
        assert asked.deaths("a") == 1


def test_a_full_disk_is_said_once_and_stops_nothing(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    asked = AskedTexts(path, MODEL)
    asked.close()  # every write fails from here on
    for _ in range(3):
        asked.begin(["a"])
        asked.end()
    assert len([line for line in caplog.messages if "not written down" in line]) == 1
