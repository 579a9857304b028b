"""One contract for every artifact store, and what only a directory can get wrong."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

import pytest

from services.classifier.adapters.artifact_store import (
    ArtifactMissing,
    ArtifactStore,
    Content,
    LocalDirectory,
    Take,
    VersionTaken,
    checked_names,
    checksum,
    checksums,
    differing,
    whole,
)


class InMemory:
    """The store of tests."""

    def __init__(self) -> None:
        self._versions: dict[str, dict[str, bytes]] = {}
        self._current: str | None = None

    def put(self, version: str, files: Mapping[str, Content]) -> None:
        checked_names(version, files)
        if version in self._versions:
            raise VersionTaken(version)
        self._versions[version] = {name: whole(content) for name, content in files.items()}

    def get(self, version: str) -> dict[str, bytes]:
        if version not in self._versions:
            raise ArtifactMissing(f"no version {version}")
        return dict(self._versions[version])

    def files(self, version: str) -> Mapping[str, Content]:
        return self.get(version)

    def versions(self) -> tuple[str, ...]:
        return tuple(sorted(self._versions))

    def discard(self, version: str) -> None:
        self._versions.pop(version, None)

    def promote(self, version: str) -> None:
        self.get(version)
        self._current = version

    def current(self) -> str | None:
        return self._current


class Counting:
    """A file that is made as it is written: the numbers below ten, each in a write of its own."""

    def write_to(self, take: Take) -> None:
        for number in range(10):
            take(b"%d" % number)

    def open(self) -> BinaryIO:
        return io.BytesIO(b"0123456789")


@pytest.fixture(params=["directory", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ArtifactStore:
    return LocalDirectory(tmp_path / "models") if request.param == "directory" else InMemory()


class TestEveryStore:
    """What any store must do."""

    def test_what_was_put_is_got(self, store: ArtifactStore) -> None:
        store.put("v1", {"a.bin": b"\x00\xff", "b.json": b"{}"})
        assert store.get("v1") == {"a.bin": b"\x00\xff", "b.json": b"{}"}

    def test_what_is_made_as_it_is_written_is_got(self, store: ArtifactStore) -> None:
        store.put("v1", {"numbers": Counting()})
        assert store.get("v1") == {"numbers": b"0123456789"}
        assert checksum(Counting()) == checksum(store.files("v1")["numbers"])

    def test_what_was_discarded_is_gone_and_may_be_discarded_again(
        self, store: ArtifactStore
    ) -> None:
        store.put("v1", {"a.bin": b"1"})
        store.put("v2", {"a.bin": b"2"})
        for _ in range(2):
            store.discard("v1")
        store.discard("../v2")
        assert store.versions() == ("v2",)
        with pytest.raises(ArtifactMissing):
            store.get("v1")

    def test_an_empty_store_has_nothing(self, store: ArtifactStore) -> None:
        assert store.versions() == ()
        assert store.current() is None

    def test_versions_are_listed_in_order(self, store: ArtifactStore) -> None:
        for version in ("b", "c", "a"):
            store.put(version, {"f": b""})
        assert store.versions() == ("a", "b", "c")

    def test_putting_does_not_promote(self, store: ArtifactStore) -> None:
        store.put("v1", {"f": b""})
        assert store.current() is None
        store.promote("v1")
        assert store.current() == "v1"

    def test_the_pointer_moves_back_and_forth(self, store: ArtifactStore) -> None:
        for version in ("v1", "v2"):
            store.put(version, {"f": b""})
            store.promote(version)
        store.promote("v1")
        assert store.current() == "v1"

    def test_a_version_never_changes(self, store: ArtifactStore) -> None:
        store.put("v1", {"f": b"first"})
        with pytest.raises(VersionTaken):
            store.put("v1", {"f": b"second"})
        assert store.get("v1") == {"f": b"first"}

    def test_what_is_not_there_is_missing(self, store: ArtifactStore) -> None:
        for asked in (store.get, store.files, store.promote):
            with pytest.raises(ArtifactMissing):
                asked("v1")

    @pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "../x", "a b", "a\n"])
    def test_names_that_could_leave_the_store_are_refused(
        self, store: ArtifactStore, name: str
    ) -> None:
        with pytest.raises(ValueError, match="not"):
            store.put(name, {"f": b""})
        with pytest.raises(ValueError, match="not"):
            store.put("v1", {name: b""})
        assert store.versions() == ()


def test_a_put_that_breaks_off_leaves_no_version(tmp_path: Path) -> None:
    class Torn(dict[str, bytes]):
        def items(self) -> Mapping[str, bytes]:  # type: ignore[override]
            raise OSError("disk full")

    store = LocalDirectory(tmp_path)
    with pytest.raises(OSError, match="disk full"):
        store.put("v1", Torn(f=b""))
    assert store.versions() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_name_that_climbs_out_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").mkdir()
    with pytest.raises(ArtifactMissing):
        LocalDirectory(tmp_path / "models").get("../secret")


def test_the_first_file_that_differs_is_named() -> None:
    files: dict[str, Content] = {"a": b"1", "b": Counting(), "c": b"3"}
    sums = checksums(files)
    assert differing(files, sums) is None
    assert differing(files | {"c": b"", "b": b""}, sums) == "b"
    with pytest.raises(LookupError):
        differing({"a": b"1"}, sums)


def test_leftovers_of_a_killed_writer_are_no_versions(tmp_path: Path) -> None:
    (tmp_path / ".writing-abc").mkdir()
    assert LocalDirectory(tmp_path).versions() == ()
