"""The choice of matrix kernels."""

from pathlib import Path

from services.classifier.models.blas import choose_kernels, processor_flags

_WIDE = frozenset({"avx2", "avx512f", "avx512bw", "avx512dq", "avx512vl"})


def test_wide_processors_get_wide_kernels() -> None:
    environment: dict[str, str] = {}
    choose_kernels(environment, _WIDE)
    assert environment["OPENBLAS_CORETYPE"] == "SkylakeX"
    assert environment["OPENBLAS_NUM_THREADS"] == "1"


def test_others_are_left_alone_and_a_choice_made_is_kept() -> None:
    environment = {"OPENBLAS_NUM_THREADS": "2"}
    choose_kernels(environment, frozenset({"avx2"}))
    assert "OPENBLAS_CORETYPE" not in environment
    assert environment["OPENBLAS_NUM_THREADS"] == "2"


def test_flags_are_read(tmp_path: Path) -> None:
    path = tmp_path / "cpuinfo"
    path.write_text("processor\t: 0\nflags\t\t: fpu avx2 avx512f\n")
    assert processor_flags(path) == {"fpu", "avx2", "avx512f"}
    assert processor_flags(tmp_path / "missing") == frozenset()
