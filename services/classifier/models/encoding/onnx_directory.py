"""Any other encoder: a directory with an ONNX model, its tokenizer, and how the two are used."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from services.classifier.domain.labelling import ModelIdentity
from services.classifier.models.digests import digest_of
from services.classifier.models.encoding.cleaning import CHARACTER_CAP, clean
from shared.errors import Misconfigured

Array = NDArray[np.float32]
Ids = NDArray[np.int64]

DESCRIPTION_FILE: Final = "encoder.json"
MODEL_FILE: Final = "model.onnx"
TOKENIZER_FILE: Final = "tokenizer.json"
HOW_TO_INSTALL: Final = "pip install 'deskstream[onnx]'"
_SHORTEST: Final = 8
_PADDINGS: Final = ("[PAD]", "<pad>", "<|pad|>")


class Inputs(BaseModel):
    """What the model calls its inputs, int64 of shape (texts, tokens) each."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ids: str = "input_ids"
    mask: str = "attention_mask"
    types: str = "token_type_ids"


class Description(BaseModel):
    """encoder.json.

    pooling: "mean" of the tokens' vectors under the attention mask, "cls" for the first token's,
    "none" where the model answers one vector per text; output: the model's first unless named;
    prefix: what the model wants before every text; sha256: of model.onnx and tokenizer.json.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    version: str = Field(default="1", max_length=200)
    pooling: Literal["mean", "cls", "none"]
    max_tokens: int = Field(ge=_SHORTEST, le=8192)
    prefix: str = Field(default="", max_length=1000)
    inputs: Inputs = Inputs()
    output: str | None = None
    pad_token_id: int | None = Field(default=None, ge=0)
    sha256: Mapping[Literal["model.onnx", "tokenizer.json"], str]


class OnnxEncoder:
    """An Encoder that runs model.onnx on one thread of the CPU.

    A text is run alone, padded to a length that follows from its own number of tokens: its shape,
    and with it its bits, cannot depend on the other texts of a batch.
    """

    def __init__(self, directory: Path) -> None:
        """Load, verify and try. Misconfigured says what is missing, damaged or does not fit."""
        runtime, tokenizers = _libraries()
        self._directory = directory
        self._said = said = _description(directory)
        self._tokens = _tokenizer(tokenizers, _verified(directory, TOKENIZER_FILE, said), directory)
        self._tokens.enable_truncation(max_length=said.max_tokens)
        self._padding = _padding(self._tokens, said)
        self._tokens.no_padding()
        self._session = _session(runtime, _verified(directory, MODEL_FILE, said), directory)
        self._output = self._checked_names()
        # The largest id there is: a tokenizer of another model is found out now, not by a ticket.
        last = max(self._tokens.get_vocab_size(with_added_tokens=True) - 1, 0)
        self._dimension = len(self._vector([last]))

    @property
    def identity(self) -> ModelIdentity:
        """The digest covers both files and everything that encoder.json says."""
        said = self._said
        return ModelIdentity(said.name, said.version, digest_of(said.model_dump()))

    @property
    def dimension(self) -> int:
        return self._dimension

    @property
    def word_dimension(self) -> int:
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Array:
        """Unit vectors, shape (texts, dimension); a text with nothing to encode gets zeros."""
        return self._encoded([clean(text) for text in texts])

    def encode_words(self, words: Sequence[str]) -> Array:
        """Unit vectors of the words as they are, shape (words, dimension)."""
        return self._encoded(words)

    def rest(self) -> None:
        """Nothing is kept from text to text."""

    def _encoded(self, texts: Sequence[str]) -> Array:
        vectors = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in enumerate(texts):
            if text:
                safe = text[:CHARACTER_CAP].encode("utf-8", "replace").decode("utf-8")
                ids = self._tokens.encode(self._said.prefix + safe).ids
                if ids:
                    vectors[row] = self._vector(ids)
        return vectors

    def _vector(self, ids: Sequence[int]) -> Array:
        """Shape (dimension,), of unit length or zero."""
        length = min(max(_SHORTEST, 1 << (len(ids) - 1).bit_length()), self._said.max_tokens)
        padded = np.full((1, length), self._padding, np.int64)
        padded[0, : len(ids)] = ids
        mask = np.zeros((1, length), np.int64)
        mask[0, : len(ids)] = 1
        vector = self._pooled(self._answer(padded, mask), len(ids))
        norm = np.linalg.norm(vector)
        if not np.isfinite(norm):
            raise self._unfit(f"{MODEL_FILE} answers numbers that are not finite")
        return vector / norm if norm > 0 else vector

    def _answer(self, ids: Ids, mask: Ids) -> Array:
        inputs = self._said.inputs
        given = {inputs.ids: ids, inputs.mask: mask, inputs.types: np.zeros_like(ids)}
        try:
            [answer] = self._session.run(
                [self._output], {name: given[name] for name in self._names}
            )
        # onnxruntime's own errors have no base class but this one.
        except Exception as fault:
            raise self._unfit(
                f"{MODEL_FILE} refuses what {TOKENIZER_FILE} makes of a text; are they of one "
                f"model? ({_first_line(fault)})"
            ) from fault
        return np.asarray(answer, np.float32)

    def _pooled(self, answer: Array, tokens: int) -> Array:
        wanted = 2 if self._said.pooling == "none" else 3
        if answer.ndim != wanted or answer.shape[0] != 1 or not answer.size:
            raise self._unfit(
                f"{MODEL_FILE} answers an array of shape {answer.shape}, which pooling "
                f"{self._said.pooling!r} of {DESCRIPTION_FILE} has no use for"
            )
        counted = {"none": answer, "cls": answer[0, :1], "mean": answer[0, :tokens]}
        mean: Array = counted[self._said.pooling].mean(axis=0)
        return mean

    def _checked_names(self) -> str:
        """Which inputs the model wants, kept; the name of its output."""
        inputs = self._said.inputs
        self._names = [each.name for each in self._session.get_inputs()]
        unknown = sorted(set(self._names) - {inputs.ids, inputs.mask, inputs.types})
        if unknown or inputs.ids not in self._names:
            raise self._unfit(
                f"{MODEL_FILE} has the inputs {', '.join(self._names)}; say under 'inputs' of "
                f"{DESCRIPTION_FILE} which are 'ids', 'mask' and 'types'"
            )
        outputs = [each.name for each in self._session.get_outputs()]
        if self._said.output is not None and self._said.output not in outputs:
            raise self._unfit(
                f"{MODEL_FILE} has the outputs {', '.join(outputs)}, and {DESCRIPTION_FILE} names "
                f"{self._said.output!r}"
            )
        return self._said.output or str(outputs[0])

    def _unfit(self, what: str) -> Misconfigured:
        return _unfit(self._directory, what)


def _libraries() -> tuple[Any, Any]:
    try:
        import onnxruntime  # noqa: PLC0415 - of an extra that most deployments do without
        import tokenizers  # noqa: PLC0415
    except ImportError as missing:
        raise Misconfigured(
            f"an encoder directory needs {missing.name or 'onnxruntime'}: {HOW_TO_INSTALL}"
        ) from missing
    return onnxruntime, tokenizers


def _description(directory: Path) -> Description:
    try:
        said = Description.model_validate_json(_read(directory, DESCRIPTION_FILE))
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise _unfit(directory, f"{DESCRIPTION_FILE}: {place or 'JSON'}: {first['msg']}") from fault
    lacking = sorted({MODEL_FILE, TOKENIZER_FILE} - set(said.sha256))
    if lacking:
        raise _unfit(directory, f"{DESCRIPTION_FILE} has no sha256 of {' and '.join(lacking)}")
    return said


def _read(directory: Path, name: str) -> bytes:
    try:
        return (directory / name).read_bytes()
    except FileNotFoundError as fault:
        raise _unfit(directory, f"there is no {name}") from fault
    except OSError as fault:
        raise _unfit(directory, f"{name} cannot be read: {fault.strerror}") from fault


def _verified(
    directory: Path, name: Literal["model.onnx", "tokenizer.json"], said: Description
) -> bytes:
    """The very bytes that are then used: the file may be another one a moment later."""
    content = _read(directory, name)
    found, expected = hashlib.sha256(content).hexdigest(), said.sha256[name].lower()
    if found != expected:
        raise _unfit(
            directory,
            f"{name} has sha256 {found[:16]}..., {DESCRIPTION_FILE} says {expected[:16]}...: "
            f"it is damaged or another one",
        )
    return content


def _tokenizer(library: Any, content: bytes, directory: Path) -> Any:
    try:
        return library.Tokenizer.from_buffer(content)
    except Exception as fault:  # the library raises nothing more precise
        raise _unfit(
            directory, f"{TOKENIZER_FILE} cannot be read ({_first_line(fault)})"
        ) from fault


def _padding(tokens: Any, said: Description) -> int:
    """Under the mask it is not looked at, but some models count their positions by it."""
    if said.pad_token_id is not None:
        return said.pad_token_id
    if tokens.padding is not None:
        return int(tokens.padding["pad_id"])
    found = (tokens.token_to_id(name) for name in _PADDINGS)
    return next((number for number in found if number is not None), 0)


def _session(library: Any, content: bytes, directory: Path) -> Any:
    options = library.SessionOptions()
    # Processes are the parallelism, and threads would share out sums in an order of their own.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    options.log_severity_level = 3
    try:
        return library.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as fault:  # onnxruntime's own errors have no base class but this one
        raise _unfit(
            directory,
            f"{MODEL_FILE} cannot be read ({_first_line(fault)}); its weights must be inside it",
        ) from fault


def _unfit(directory: Path, what: str) -> Misconfigured:
    return Misconfigured(f"the encoder in {directory} cannot be used: {what}")


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [type(fault).__name__])[0][:200]
