"""A request body as validated posts, or one error that names every fault in it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from shared.errors import DeskstreamError, FieldError, InvalidEvent, TooLarge

JSON = "application/json"
NDJSON = ("application/x-ndjson", "application/jsonl")
# Enough to repair a sender by, small enough that 500 bad elements do not answer a megabyte.
MAX_ERRORS = 100
MAX_POINTER = 300
# What pydantic appends to the location of a faulty key.
_KEY_MARK = "[key]"

# Where pydantic's words do not say what to do.
_WORDS = {
    "timezone_aware": "Input should have a UTC offset, such as Z or +03:00",
    "extra_forbidden": "No such field is known",
}

PostT = TypeVar("PostT", bound=BaseModel)


class UnsupportedMediaType(DeskstreamError):
    """A body in a format this service does not read."""

    status = 415
    code = "unsupported-media-type"


@dataclass(frozen=True, slots=True)
class Batch(Generic[PostT]):
    """Validated posts and where each stood in the body. `lines` is set for NDJSON only."""

    posts: list[PostT]
    single: bool = False
    lines: tuple[int, ...] | None = None

    def fault(self, index: int, field: str, detail: str) -> FieldError:
        """A fault of element `index`; `field` is the rest of the pointer or empty."""
        place = "" if self.single else f"/{index}"
        line = f"line {self.lines[index]}: " if self.lines else ""
        return FieldError(place + (f"/{field}" if field else ""), line + detail)


class BodyReader(Generic[PostT]):
    """Reads one model from JSON (an object or an array) and NDJSON, each byte parsed once."""

    def __init__(self, model: type[PostT], max_events: int) -> None:
        self._max_events = max_events
        self._one = TypeAdapter(model)
        self._many: TypeAdapter[list[PostT]] = TypeAdapter(
            Annotated[list[model], Field(min_length=1, max_length=max_events)]  # type: ignore[arg-type, valid-type]
        )

    def read(self, raw: bytes, content_type: str) -> Batch[PostT]:
        """Raises InvalidEvent, TooLarge or UnsupportedMediaType; never a part of a body."""
        media_type = content_type.partition(";")[0].strip().lower()
        if media_type == JSON:
            if raw.lstrip()[:1] == b"[":
                return Batch(self._validated(lambda: self._many.validate_json(raw)))
            return Batch(self._validated(lambda: [self._one.validate_json(raw)]), single=True)
        if media_type in NDJSON:
            return self._read_lines(raw)
        raise UnsupportedMediaType(
            f"content type {media_type or 'missing'!r} is not read here; send {JSON} or {NDJSON[0]}"
        )

    def _validated(self, parse: Callable[[], list[PostT]]) -> list[PostT]:
        try:
            return parse()
        except ValidationError as error:
            details = error.errors(include_url=False, include_context=False, include_input=False)
            if any(d["type"] == "too_long" and not d["loc"] for d in details):
                raise self._too_many() from None
            raise invalid([_field_error(d) for d in details]) from None

    def _read_lines(self, raw: bytes) -> Batch[PostT]:
        lines = [(n, line) for n, line in enumerate(raw.split(b"\n"), 1) if line.strip()]
        if len(lines) > self._max_events:
            raise self._too_many()
        if not lines:
            raise invalid([FieldError("", "the body has no line; send at least one event")])
        posts: list[PostT] = []
        faults: list[FieldError] = []
        for index, (number, line) in enumerate(lines):
            try:
                posts.append(self._one.validate_json(line))
            except ValidationError as error:
                details = error.errors(
                    include_url=False, include_context=False, include_input=False
                )
                faults += (_field_error(d, f"/{index}", f"line {number}: ") for d in details)
        if faults:
            raise invalid(faults)
        return Batch(posts, lines=tuple(number for number, _ in lines))

    def _too_many(self) -> TooLarge:
        detail = f"more than {self._max_events} events in one request; nothing was accepted"
        return TooLarge(detail, [FieldError("", f"send at most {self._max_events}")])


def invalid(faults: Iterable[FieldError]) -> InvalidEvent:
    """One error for all faults of a body; the detail counts those that are not listed."""
    faults = list(faults)
    listed = faults[:MAX_ERRORS]
    count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
    more = f", the first {MAX_ERRORS} listed" if len(faults) > MAX_ERRORS else ""
    return InvalidEvent(f"{count} in the body{more}; nothing was accepted", listed)


def _field_error(detail: ErrorDetails, prefix: str = "", line: str = "") -> FieldError:
    location = [part for part in detail["loc"] if part != _KEY_MARK]
    pointer = "".join("/" + _escaped(part) for part in location)
    return FieldError(
        (prefix + pointer)[:MAX_POINTER], line + _WORDS.get(detail["type"], detail["msg"])
    )


def _escaped(part: int | str) -> str:
    """RFC 6901 section 3."""
    return str(part).replace("~", "~0").replace("/", "~1")
