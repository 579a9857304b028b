"""Which texts the model was asked about when its process ended: one of them may have ended it.

A call that never returns, a crash in compiled code, memory that runs out: no handler survives to
say which ticket it was, and the next process reads the same records again. So what is asked is
written down before each call, in a file that outlives the process: two writes to the page cache
per call and a hash per text, nothing of the text itself.
"""

import json
import logging
import os
import struct
from collections.abc import Callable, Collection, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Self

log = logging.getLogger(__name__)

DIGEST_BYTES = 8
_COUNT = struct.Struct("<I")


class AskedTexts:
    """The texts under way, and how many processes ended while each of them was.

    Not safe from several threads: one call of the model at a time.
    """

    def __init__(self, path: Path, model: str) -> None:
        """`path` is of one process alone. Deaths under another `model` are not counted.

        Raises OSError where nothing can be written.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._model = model
        self._deaths_file = path.with_name(f"{path.name}.deaths.json")
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        self._deaths = self._read_deaths()
        self._asked: list[bytes] = []
        self._writable = True
        for digest in self._left_behind():
            self._deaths[digest] = self._deaths.get(digest, 0) + 1
        self._save()
        self._write([])
        if self._deaths:
            log.warning("%s texts were under way when the process ended", len(self._deaths))

    @property
    def suspicious(self) -> bool:
        """Is any text known to have been under way when a process ended?"""
        return bool(self._deaths)

    def deaths(self, text: str) -> int:
        """How many processes ended while the model was asked about `text`."""
        return self._deaths.get(_digest(text), 0)

    def begin(self, texts: Sequence[str]) -> None:
        """The model is about to be asked about `texts`."""
        self._asked = [_digest(text) for text in texts]
        self._attempt(lambda: self._write(self._asked))

    def end(self) -> None:
        """It answered, be it with an exception: none of them ends a process."""
        self._attempt(lambda: self._write([]))
        if self._deaths and not self._deaths.keys().isdisjoint(self._asked):
            for digest in self._asked:
                self._deaths.pop(digest, None)
            self._attempt(self._save)

    def _attempt(self, write: Callable[[], None]) -> None:
        # A full disk is no reason to label nothing, nor to blame a text.
        try:
            write()
        except OSError as fault:
            if self._writable:
                log.warning("what the model is asked is not written down: %s", fault)
            self._writable = False
        else:
            self._writable = True

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _write(self, digests: Collection[bytes]) -> None:
        os.pwrite(self._file, _COUNT.pack(len(digests)) + b"".join(digests), 0)

    def _left_behind(self) -> set[bytes]:
        content = os.pread(self._file, os.fstat(self._file).st_size, 0)
        if len(content) < _COUNT.size:
            return set()
        (count,) = _COUNT.unpack_from(content)
        # The file keeps the size of the largest call; a damaged one may say anything.
        written = content[_COUNT.size :][: count * DIGEST_BYTES]
        whole = range(0, len(written) - DIGEST_BYTES + 1, DIGEST_BYTES)
        return {written[at : at + DIGEST_BYTES] for at in whole}

    def _read_deaths(self) -> dict[bytes, int]:
        try:
            stored = json.loads(self._deaths_file.read_bytes())
            if stored["model"] != self._model:
                return {}
            return {bytes.fromhex(key): int(value) for key, value in stored["deaths"].items()}
        except FileNotFoundError:
            return {}
        except (ValueError, LookupError, TypeError, AttributeError) as fault:
            log.warning("%s is not as it was written: %r", self._deaths_file, fault)
            return {}

    def _save(self) -> None:
        deaths = {digest.hex(): count for digest, count in self._deaths.items()}
        if not deaths and not self._deaths_file.exists():
            return
        aside = self._deaths_file.with_suffix(".writing")
        aside.write_text(json.dumps({"model": self._model, "deaths": deaths}))
        aside.replace(self._deaths_file)


def _digest(text: str) -> bytes:
    content = text.encode("utf-8", "surrogatepass")
    return blake2b(content, digest_size=DIGEST_BYTES).digest()
