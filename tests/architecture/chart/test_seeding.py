"""What fills the volume of models: run for real, on folders of this machine."""

import subprocess
from pathlib import Path

import pytest

from tests.architecture.chart.helm import CHART

SCRIPT = (CHART / "files" / "seed.sh").read_text()


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """What the classifier's image holds below `models` and `numba`."""
    root = tmp_path / "image"
    for name in ("models/20260301-fast", "models/.material/first", "numba"):
        (root / name).mkdir(parents=True)
    (root / "models/20260301-fast/manifest.json").write_text("{}")
    (root / "models/.material/first/texts").write_bytes(b"x" * 5_000_000)
    (root / "models/current").write_text("20260301-fast\n")
    (root / "numba/kernel.nbi").write_text("compiled")
    return root


def _command(image: Path, volume: Path, cache: Path) -> list[str]:
    places = [image / "models", volume, image / "numba", cache]
    return ["sh", "-euc", SCRIPT, "seed.sh", *map(str, places)]


def _files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_an_empty_volume_gets_what_the_image_has(image: Path, tmp_path: Path) -> None:
    volume, cache = tmp_path / "volume", tmp_path / "cache" / "kernels"
    volume.mkdir()
    subprocess.run(_command(image, volume, cache), check=True)
    assert _files(volume) == _files(image / "models")
    assert sorted(each.name for each in volume.iterdir()) == [
        ".material",
        "20260301-fast",
        "current",
    ]
    assert _files(cache) == _files(image / "numba")


def test_a_volume_in_use_is_left_alone(image: Path, tmp_path: Path) -> None:
    volume, cache = tmp_path / "volume", tmp_path / "cache"
    volume.mkdir()
    (volume / "current").write_text("20260401-retrained\n")
    subprocess.run(_command(image, volume, cache), check=True)
    assert _files(volume) == {"current": b"20260401-retrained\n"}
    assert _files(cache) == _files(image / "numba")


def test_a_copy_that_was_cut_off_is_made_whole(image: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    (volume / "20260301-fast").mkdir(parents=True)
    (volume / "20260301-fast/manifest.json").write_text("{}")
    subprocess.run(_command(image, volume, tmp_path / "cache"), check=True)
    assert _files(volume) == _files(image / "models")


def test_pods_that_start_at_once_do_not_disturb_each_other(image: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    pods = [subprocess.Popen(_command(image, volume, tmp_path / f"{n}")) for n in range(6)]
    assert [pod.wait() for pod in pods] == [0] * 6
    assert _files(volume) == _files(image / "models")
    assert sorted(each.name for each in volume.iterdir()) == [
        ".material",
        "20260301-fast",
        "current",
    ]


def test_an_image_without_a_model_is_day_zero(image: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.mkdir()
    (image / "models/current").unlink()
    subprocess.run(_command(image, volume, tmp_path / "cache"), check=True)
    assert _files(volume) == {}


def test_an_unwritable_volume_is_a_failure(image: Path, tmp_path: Path) -> None:
    volume = tmp_path / "volume"
    volume.write_text("not a folder")
    done = subprocess.run(_command(image, volume, tmp_path / "cache"), check=False)
    assert done.returncode != 0
