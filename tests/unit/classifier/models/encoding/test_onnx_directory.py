"""An encoder directory: a tiny embedding lookup stands in for a real transformer's model.onnx."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.classifier.__main__ import main
from services.classifier.adapters.artifact_store import ArtifactDamaged, LocalDirectory
from services.classifier.adapters.artifacts import load, save
from services.classifier.models.encoding.carrier import IDENTITY
from services.classifier.models.encoding.choice import choose_encoder
from services.classifier.models.encoding.deferred import DeferredEncoder
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.fast.serving import FastLabeller
from services.classifier.models.semantic.heads import CascadedHead
from shared.errors import Misconfigured

onnx = pytest.importorskip("onnx", reason="onnx, which builds the tiny model, is not installed")
for needed in ("onnxruntime", "tokenizers"):
    pytest.importorskip(needed, reason=f"{needed}, of deskstream[onnx], is not installed")

from services.classifier.models.encoding.onnx_directory import OnnxEncoder  # noqa: E402

_LETTERS = "abcdefghijklmnopqrstuvwxyzäöüß0123456789?:."
_WIDTH = 48
TEXTS = ["the printer is out of toner", "vpn", "my password", "Der Drucker druckt nicht " * 9]

Build = Callable[..., Path]


def _model(width: int = _WIDTH, pooled: bool = False, rows: int = len(_LETTERS) + 3) -> bytes:
    """Ids to rows of a fixed table, through one matrix product: (texts, tokens, width)."""
    rng = np.random.default_rng(5)
    table = rng.standard_normal((rows, 32)).astype(np.float32)
    matrix = rng.standard_normal((32, width)).astype(np.float32)
    make, kind = onnx.helper.make_node, onnx.TensorProto
    nodes = [
        make("Gather", ["table", "input_ids"], ["looked_up"]),
        make("MatMul", ["looked_up", "matrix"], ["hidden"]),
    ]
    if pooled:
        nodes.append(make("ReduceMax", ["hidden", "axis"], ["vector"], keepdims=0))
    name, shape = ("vector", ["n", width]) if pooled else ("hidden", ["n", "t", width])
    graph = onnx.helper.make_graph(
        nodes,
        "lookup",
        [
            onnx.helper.make_tensor_value_info(each, kind.INT64, ["n", "t"])
            for each in ("input_ids", "attention_mask")
        ],
        [onnx.helper.make_tensor_value_info(name, kind.FLOAT, shape)],
        [
            onnx.numpy_helper.from_array(table, "table"),
            onnx.numpy_helper.from_array(matrix, "matrix"),
            onnx.numpy_helper.from_array(np.array([1], np.int64), "axis"),
        ],
    )
    opset = [onnx.helper.make_opsetid("", 18)]
    built: bytes = onnx.helper.make_model(graph, opset_imports=opset, ir_version=9)
    return built.SerializeToString()  # type: ignore[attr-defined, no-any-return]


def _tokenizer() -> bytes:
    """A token per letter; what has none is [UNK]."""
    from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers  # noqa: PLC0415

    vocabulary = {name: i for i, name in enumerate(["[PAD]", "[UNK]", "[CLS]", *_LETTERS])}
    made = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    made.normalizer = normalizers.Lowercase()
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    text: str = made.to_str()
    return text.encode()


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Writes a directory; keywords replace what encoder.json says."""

    def make(name: str = "tiny", model: bytes | None = None, **said: Any) -> Path:
        directory = tmp_path / name
        directory.mkdir()
        files = {"model.onnx": model or _model(), "tokenizer.json": _tokenizer()}
        for file, content in files.items():
            (directory / file).write_bytes(content)
        described = {
            "name": "tiny-lookup", "pooling": "mean", "max_tokens": 64,
            "sha256": {file: hashlib.sha256(each).hexdigest() for file, each in files.items()},
        }  # fmt: skip
        (directory / "encoder.json").write_text(json.dumps(described | said), "utf-8")
        return directory

    return make


@pytest.fixture
def encoder(build: Build) -> Encoder:
    return OnnxEncoder(build())


@pytest.fixture
def chosen(build: Build) -> Iterator[Path]:
    """The directory is the encoder of this process while the test runs."""
    directory = build("chosen")
    choose_encoder(directory)
    yield directory
    choose_encoder(None)


def test_same_bits_alone_and_in_any_batch(encoder: Encoder) -> None:
    together = encoder.encode(TEXTS)
    reversed_ = encoder.encode(TEXTS[::-1])[::-1]
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    assert together.dtype == np.float32
    assert together.shape == (len(TEXTS), encoder.dimension) == (4, _WIDTH)
    assert together.tobytes() == reversed_.tobytes() == alone.tobytes()
    assert np.allclose(np.linalg.norm(together, axis=1), 1.0)
    assert len({row.tobytes() for row in together}) == len(TEXTS)


def test_padding_does_not_count(build: Build) -> None:
    """A mean over the padding too would differ from the mean of the letters themselves."""
    encoder = OnnxEncoder(build())
    one = np.ones((1, 1), np.int64)
    letters = np.stack([encoder._answer(i * one, one)[0, 0] for i in (3, 4, 5)])
    mean = letters.mean(axis=0)
    assert np.allclose(encoder.encode_words(["abc"])[0], mean / np.linalg.norm(mean), atol=1e-6)


@pytest.mark.parametrize("text", ["", "   ", "\n\n"])
def test_nothing_to_encode_is_zero(encoder: Encoder, text: str) -> None:
    found = encoder.encode([text, "vpn"])
    assert not found[0].any()
    assert found[1].any()
    assert encoder.encode([]).shape == (0, _WIDTH)
    assert encoder.encode_words([]).shape == (0, _WIDTH)
    assert not encoder.encode_words([""]).any()


def test_lone_surrogates_are_replaced(encoder: Encoder) -> None:
    assert encoder.encode(["vpn \ud800"]).tobytes() == encoder.encode(["vpn ?"]).tobytes()
    assert encoder.encode_words(["a\udfff"]).tobytes() == encoder.encode_words(["a?"]).tobytes()


def test_a_long_text_is_cut(encoder: Encoder) -> None:
    assert np.isfinite(encoder.encode(["printer " * 100_000])).all()


def test_prefix_and_pooling_make_another_encoder(build: Build) -> None:
    plain = OnnxEncoder(build("plain"))
    others = [
        OnnxEncoder(build("prefix", prefix="query: ")),
        OnnxEncoder(build("first", pooling="cls")),
        OnnxEncoder(build("pooled", model=_model(pooled=True), pooling="none")),
    ]
    assert len({each.identity.digest for each in [plain, *others]}) == 4
    for other in others:
        assert other.encode(TEXTS[:1]).tobytes() != plain.encode(TEXTS[:1]).tobytes()
    same = OnnxEncoder(build("again"))
    assert same.identity == plain.identity


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json", "encoder.json"])
def test_a_missing_file_is_named(build: Build, file: str) -> None:
    directory = build()
    (directory / file).unlink()
    with pytest.raises(Misconfigured, match=f"there is no {file}"):
        OnnxEncoder(directory)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_a_changed_byte_is_noticed(build: Build, file: str) -> None:
    directory = build()
    content = bytearray((directory / file).read_bytes())
    content[len(content) // 2] ^= 1
    (directory / file).write_bytes(content)
    with pytest.raises(Misconfigured, match=f"{file} has sha256"):
        OnnxEncoder(directory)


@pytest.mark.parametrize("file", ["model.onnx", "tokenizer.json"])
def test_rubbish_with_the_right_sum_is_refused(build: Build, file: str) -> None:
    directory = build()
    (directory / file).write_bytes(b"rubbish")
    said = json.loads((directory / "encoder.json").read_text("utf-8"))
    said["sha256"][file] = hashlib.sha256(b"rubbish").hexdigest()
    (directory / "encoder.json").write_text(json.dumps(said), "utf-8")
    with pytest.raises(Misconfigured, match=f"{file} cannot be read"):
        OnnxEncoder(directory)


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ({"pooling": "max"}, "pooling"),
        ({"sha256": {}}, "no sha256 of model.onnx and tokenizer.json"),
        ({"poling": "mean"}, "poling"),
        ({"pooling": "none"}, "shape"),
        ({"inputs": {"mask": "mask"}}, "inputs"),
        ({"output": "sentence"}, "outputs hidden"),
    ],
)
def test_a_wrong_description_says_what_is_wrong(
    build: Build, said: dict[str, Any], wrong: str
) -> None:
    directory = build(**said)
    with pytest.raises(Misconfigured, match=wrong):
        OnnxEncoder(directory)


def test_a_tokenizer_of_another_model_is_refused(build: Build) -> None:
    with pytest.raises(Misconfigured, match="are they of one model"):
        OnnxEncoder(build(model=_model(rows=5)))


def test_a_head_learns_with_it(encoder: Encoder, desk: tuple[list[str], list[str]]) -> None:
    texts, labels = desk
    head = CascadedHead(encoder=encoder)
    head.fit(texts, labels)
    look = head.second_look(texts)
    right = [head.classes[i] for i in look.probabilities.argmax(axis=1)]
    assert np.mean([a == b for a, b in zip(right, labels, strict=True)]) > 0.9
    assert look.vectors.shape == (len(texts), _WIDTH)


def test_a_model_is_loaded_with_its_own_encoder_only(
    chosen: Path, desk: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    encoder = DeferredEncoder()
    assert encoder.dimension == encoder.word_dimension == _WIDTH
    assert encoder.identity == OnnxEncoder(chosen).identity
    store = LocalDirectory(tmp_path / "models")
    labeller = FastLabeller.train(*desk, encoder=encoder)
    saved = save(store, labeller, {})
    again = load(store, saved.version)
    assert np.array_equal(
        again.label(TEXTS).topic.probabilities, labeller.label(TEXTS).topic.probabilities
    )
    choose_encoder(None)
    assert encoder.identity == IDENTITY
    with pytest.raises(ArtifactDamaged, match="another encoder"):
        load(store, saved.version)


def test_evaluate_takes_a_directory(
    build: Build, desk: tuple[list[str], list[str]], tmp_path: Path
) -> None:
    rows = [{"text": text, "label": label} for text, label in zip(*desk, strict=True)]
    with (tmp_path / "desk.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["text", "label"])
        writer.writeheader()
        writer.writerows(rows)
    asked = ["evaluate", "--train", str(tmp_path / "desk.csv"), "--text", "text"]
    asked += ["--label", "label", "--semantic", "1", "--json", str(tmp_path / "out.json")]
    try:
        assert main([*asked, "--encoder", str(build())]) == 0
        assert DeferredEncoder().dimension == _WIDTH
        figures = json.loads((tmp_path / "out.json").read_text("utf-8"))
        assert figures["accuracy"] > figures["majority_accuracy"]
        assert main([*asked, "--encoder", str(tmp_path / "nowhere")]) == 1
    finally:
        choose_encoder(None)
