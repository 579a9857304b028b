"""How each family of models becomes files, and is built from them: never by code in a file."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, Protocol
from zipfile import BadZipFile, ZipFile

import numpy as np
import orjson
from numpy.typing import NDArray

from services.classifier.adapters.artifact_store import PART_BYTES, Content, Take, opened, whole
from services.classifier.domain.labelling import Labeller, ModelIdentity

ARRAYS_FILE = "arrays.npz"
VALUES_FILE = "values.json"
SKOPS_FILE = "model.skops"
_REFERENCE = "$array"


class Saveable(Protocol):
    """A Labeller whose state is plain values and arrays."""

    @property
    def identity(self) -> ModelIdentity: ...

    def state(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class UnreadableModel(Exception):
    """The files are no model; `reason` says why."""

    reason: str


class _Sink:
    """As much of a file as an archive needs that does not go back in it."""

    def __init__(self, take: Take) -> None:
        self._take = take

    def write(self, part: bytes) -> int:
        self._take(part)
        return len(part)

    def flush(self) -> None:
        """Nothing is kept back."""


class _Arrays:
    """Arrays as one npz: what is written of them at a time is all the memory it takes."""

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        self._arrays = arrays

    def write_to(self, take: Take) -> None:
        sink: Any = _Sink(take)
        with ZipFile(sink, "w") as archive:
            for name, array in self._arrays.items():
                with archive.open(f"{name}.npy", "w", force_zip64=True) as entry:
                    _write_array(entry, np.asarray(array, order="C"))

    def open(self) -> BinaryIO:
        content = io.BytesIO()
        self.write_to(content.write)
        content.seek(0)
        return content


def _write_array(file: IO[bytes], array: NDArray[Any]) -> None:
    """As numpy does, but for the 16 MB that it copies at a time."""
    np.lib.format.write_array_header_1_0(file, np.lib.format.header_data_from_array_1_0(array))
    content = array.reshape(-1).view(np.uint8)
    for at in range(0, len(content), PART_BYTES):
        file.write(content[at : at + PART_BYTES].tobytes())


def encode(labeller: Saveable) -> dict[str, Content]:
    """The files of a labeller by name."""
    if labeller.identity.name == "batch":
        import skops.io  # noqa: PLC0415 - loads scikit-learn, which serving a fast model never needs

        return {SKOPS_FILE: skops.io.dumps(labeller.state())}
    return encode_state(labeller.state())


def decode(name: str, version: str, files: Mapping[str, Content]) -> Labeller:
    """The labeller of these files. Raises UnreadableModel."""
    try:
        if name == "batch":
            return _batch(whole(files[SKOPS_FILE]), version)
        if name == "fast":
            return _fast(decode_state(files), version)
    except (BadZipFile, AttributeError, LookupError, ValueError, TypeError, EOFError) as fault:
        named = SKOPS_FILE if name == "batch" else f"{ARRAYS_FILE} or {VALUES_FILE}"
        raise UnreadableModel(f"{named} cannot be read ({fault})") from fault
    raise UnreadableModel(f"it is of a family {name!r} that this release does not know")


def encode_state(state: Mapping[str, Any]) -> dict[str, Content]:
    """Nested plain values as JSON, the arrays among them in one npz beside it.

    The arrays must not change before they are written.
    """
    arrays: dict[str, Any] = {}
    values = json.dumps(_detached(state, "", arrays)).encode()
    return {VALUES_FILE: values, ARRAYS_FILE: _Arrays(arrays)}


def decode_state(files: Mapping[str, Content]) -> dict[str, Any]:
    """What `encode_state` was given. Raises LookupError, ValueError or BadZipFile."""
    with opened(files[ARRAYS_FILE]) as file, np.load(file, allow_pickle=False) as stored:
        arrays = {name: stored[name] for name in stored.files}
    state = _attached(_values(whole(files[VALUES_FILE])), arrays)
    if not isinstance(state, dict):
        raise TypeError(f"a state is a mapping, not {type(state).__name__}")
    return state


def _values(content: bytes) -> Any:
    """orjson is four times as fast on 100,000 corrections; lone surrogates only json reads."""
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content)


def _detached(value: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    if isinstance(value, np.ndarray):
        arrays[path] = value
        return {_REFERENCE: path}
    if isinstance(value, Mapping):
        return {key: _detached(inner, f"{path}.{key}", arrays) for key, inner in value.items()}
    return value


def _attached(value: Any, arrays: Mapping[str, NDArray[Any]]) -> Any:
    if not isinstance(value, dict):
        return value
    if set(value) == {_REFERENCE}:
        return arrays[value[_REFERENCE]]
    return {key: _attached(inner, arrays) for key, inner in value.items()}


def _fast(state: dict[str, Any], version: str) -> Labeller:
    from services.classifier.models.encoding.deferred import DeferredEncoder  # noqa: PLC0415 - loads numba
    from services.classifier.models.fast.serving import FastLabeller  # noqa: PLC0415

    return FastLabeller.from_state(state, version, DeferredEncoder())


def _batch(content: bytes, version: str) -> Labeller:
    import skops.io  # noqa: PLC0415 - see `encode`

    from services.classifier.models.batch.classifier import BatchLabeller  # noqa: PLC0415

    # A state is plain values and arrays: a file that names any other type is refused before
    # anything of it is built.
    untrusted = skops.io.get_untrusted_types(data=content)
    if untrusted:
        raise UnreadableModel(f"it holds types that no model needs: {sorted(untrusted)}")
    return BatchLabeller.from_state(skops.io.loads(content, trusted=[]), version)
