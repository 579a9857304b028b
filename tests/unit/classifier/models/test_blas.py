"""The choice of matrix kernels, and of one thread."""

import threading
from pathlib import Path

import numpy as np  # noqa: F401 - loads the library whose threads are counted
from threadpoolctl import threadpool_info, threadpool_limits

from services.classifier.models.blas import choose_kernels, one_thread, processor_flags

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


def _threads() -> set[int]:
    # numpy's own: what other tests loaded later (scipy's) is none of this module's business.
    libraries = [each for each in threadpool_info() if each["user_api"] == "blas"]
    return {each["num_threads"] for each in libraries if "numpy" in each["filepath"]}


def test_any_thread_gets_one_thread_and_gives_back_what_was() -> None:
    seen: list[set[int]] = []

    def work() -> None:
        with one_thread():
            seen.append(_threads())

    with threadpool_limits(limits=2, user_api="blas"):
        work()
        other = threading.Thread(target=work)
        other.start()
        other.join()
        assert _threads() == {2}
    assert seen == [{1}, {1}]


def test_who_leaves_first_takes_nothing_from_who_is_still_inside() -> None:
    entered, left = threading.Event(), threading.Event()

    def guest() -> None:
        with one_thread():
            entered.set()
        left.set()

    with threadpool_limits(limits=2, user_api="blas"):
        with one_thread():
            threading.Thread(target=guest).start()
            assert entered.wait(30)
            assert left.wait(30)
            assert _threads() == {1}
        assert _threads() == {2}
