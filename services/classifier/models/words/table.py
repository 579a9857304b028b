"""The word table: each distinct word encoded once, in the background, and kept as int8."""

import threading
from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.classifier.models.encoding.carrier import WEIGHTS_SHA256
from services.classifier.models.encoding.encoder import Encoder
from services.classifier.models.lexical.featurising import place_all
from services.classifier.models.products import quantised
from services.classifier.models.words.uses import WordUses

Array = NDArray[np.float32]

# A word met so often is worth a vector, and so many go into one record of the log.
MET_OFTEN: Final = 3
MET_AT_ONCE: Final = 256
_SMALLEST: Final = 1 << 12
# A line of base64 is no word; the encoder would see the first pieces of it only.
_LONGEST_WORD: Final = 40
# 1 kB each: the vectors of the most words that a worker's memory has room for.
_MOST_WORDS: Final = 50_000
# Words whose vectors are held as floats at a time: 3 MB, and whole tiles of the encoder.
_AT_ONCE: Final = 768
# Words without a vector that are counted at a time.
_MOST_MET: Final = 20_000


class WordTable:
    """Distinct words by hash, with their centred encoder vectors, from which rows are folded.

    `notice` is cheap and called from the hot path; `learn` and `read` do the work, in one other
    thread. A word's index never changes, so readers may lag behind.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._lock = threading.Lock()
        self._met: dict[int, tuple[str, int]] = {}
        self._centred = False
        self.centre = np.zeros(encoder.word_dimension, np.float32)
        self.vectors = np.zeros((0, encoder.word_dimension), np.int8)
        self.scales = np.zeros(0, np.float32)
        self.hashes = np.zeros(0, np.uint32)
        self.slots = np.zeros(2 * _SMALLEST, np.uint64)

    def __len__(self) -> int:
        return len(self.hashes)

    def notice(self, words: Iterable[tuple[int, str]]) -> None:
        """Count (hash, word) pairs that have no vector; a full count takes in no new ones."""
        with self._lock:
            for value, word in words:
                times = self._met.get(value)
                if times is not None:
                    self._met[value] = (word, times[1] + 1)
                elif len(self._met) < _MOST_MET and _is_word(word):
                    self._met[value] = (word, 1)

    def take_met(self) -> list[str]:
        """Words noticed often since they were last taken, at most as many as go into one record."""
        known = set(self.hashes.tolist())
        with self._lock:
            for value in known & self._met.keys():
                del self._met[value]
            often = [value for value, (_, times) in self._met.items() if times >= MET_OFTEN]
            taken = [self._met.pop(value)[0] for value in often[:MET_AT_ONCE]]
            if len(self._met) >= _MOST_MET:
                self._met.clear()  # of rare words, most of them misspelt: begin to count again
        return taken

    def read(self, words: Mapping[int, str]) -> int:
        """Encode the words (by hash) that have no vector, as far as there is room; how many."""
        known = set(self.hashes.tolist())
        new = [(v, w) for v, w in words.items() if v not in known and len(w) <= _LONGEST_WORD]
        new = new[: max(_MOST_WORDS - len(self), 0)]
        if new:
            values = np.fromiter((value for value, _ in new), np.uint32, len(new))
            self._append(values, [word for _, word in new])
        return len(new)

    def learn(self, uses: WordUses) -> None:
        """Encode the words of training texts now, the most frequent first as far as there is room.

        The first call also fixes the centre of the vectors: their mean over these texts.
        """
        hashes, first, counts = np.unique(uses.words, return_index=True, return_counts=True)
        new = ~np.isin(hashes, self.hashes)
        order = np.lexsort((first[new], -counts[new]))[: max(_MOST_WORDS - len(self), 0)]
        words = {value: uses.spelled[value] for value in hashes[new][order].tolist()}
        chosen = {value: word for value, word in words.items() if len(word) <= _LONGEST_WORD}
        if not chosen:
            return
        values = np.fromiter(chosen, np.uint32, len(chosen))
        frequency = counts[np.searchsorted(hashes, values)].astype(np.float32)
        self._append(values, list(chosen.values()), None if self._centred else frequency)

    def state(self) -> dict[str, Any]:
        """Plain values and arrays that `restore` takes back."""
        return {
            "encoder": self._encoder.identity.digest,
            "hashes": self.hashes,
            "vectors": self.vectors,
            "scales": self.scales,
            "centre": self.centre,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take a saved table. Raises ValueError when it was made by another encoder."""
        # Before a directory could be named, there was but the built-in one.
        maker = state.get("encoder", WEIGHTS_SHA256)
        mine = self._encoder.identity
        if maker != mine.digest or state["vectors"].shape[1:] != self.centre.shape:
            raise ValueError(
                f"the saved words were encoded by another encoder ({str(maker)[:12]}) than "
                f"{mine.name} ({mine.digest[:12]}): see CLASSIFIER_ENCODER"
            )
        self.centre = np.asarray(state["centre"], np.float32)
        self.vectors = np.asarray(state["vectors"], np.int8)
        self.scales = np.asarray(state["scales"], np.float32)
        self._centred = True
        self._index(np.asarray(state["hashes"], np.uint32))

    def _append(
        self, hashes: NDArray[np.uint32], words: list[str], frequency: Array | None = None
    ) -> None:
        parts = [slice(at, at + _AT_ONCE) for at in range(0, len(words), _AT_ONCE)]
        encoded = (_unit_blocks(self._encoder.encode_words(words[part])) for part in parts)
        if frequency is not None:
            raw = np.concatenate(list(encoded))
            self.centre = (frequency @ raw / frequency.sum()).astype(np.float32)
            self._centred = True
            encoded = (raw[part] for part in parts)
        found = [quantised(each - self.centre) for each in encoded]
        self._encoder.rest()
        self.vectors = np.concatenate([self.vectors, *(vectors for vectors, _ in found)])
        self.scales = np.concatenate([self.scales, *(scales for _, scales in found)])
        self._index(np.concatenate([self.hashes, hashes]))

    def _index(self, hashes: NDArray[np.uint32]) -> None:
        room = max(_SMALLEST, 1 << len(hashes).bit_length())
        slots = np.zeros(2 * room, np.uint64)
        place_all(slots, hashes)
        self.hashes, self.slots = hashes, slots


def _is_word(word: str) -> bool:
    """Numbers, keys and ids are met once; what is encoded are words."""
    return len(word) <= _LONGEST_WORD and word.isalpha()


def _unit_blocks(raw: Array) -> Array:
    """The network's vector is of unit length; what else a word's vector holds is made so too."""
    blocks = raw.reshape(len(raw), -1, 512) if raw.shape[1] % 512 == 0 else raw[:, None, :]
    length = np.linalg.norm(blocks, axis=2, keepdims=True)
    result: Array = (blocks / np.maximum(length, 1e-6)).reshape(raw.shape)
    return result
