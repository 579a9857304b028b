"""Plans: made-up tickets at a rate, and the rows of a file."""

import gzip
import itertools
from pathlib import Path

import pytest

from services.simulator.__main__ import HELPDESK
from services.simulator.domain.helpdesk import NEW_TOPIC
from services.simulator.plan import Planned, made_up, replayed
from shared.errors import Misconfigured
from shared.queues import QueueDirectory


def made(count: int, *, day: float | None = None, new_topic_after: float = 1e9) -> list[Planned]:
    plan = made_up(
        QueueDirectory.load(HELPDESK),
        seed=3,
        rate=100,
        day=day,
        level_day=300,
        new_topic_after=new_topic_after,
    )
    return list(itertools.islice(plan, count))


def test_level_load_keeps_the_rate() -> None:
    assert made(3_000)[-1].at == pytest.approx(30, rel=0.1)


def test_a_compressed_day_has_quiet_hours() -> None:
    per_hour = [0] * 24
    for planned in made(10_000, day=24):
        per_hour[int(planned.at % 24)] += 1
    assert per_hour[2] < per_hour[9] / 4


def test_the_new_topic_waits_for_its_time() -> None:
    plan = made(3_000, new_topic_after=15)
    assert min(p.at for p in plan if p.topic == NEW_TOPIC) >= 15


def test_content_leaves_out_what_is_unknown() -> None:
    contents = [planned.content for planned in made(300)]
    assert all(content["body"] and content["requester"] for content in contents)
    assert 0 < sum("queue" in content for content in contents) < 200


def csv_file(tmp_path: Path, name: str = "t.csv") -> Path:
    rows = "".join(f'"words, {n}",topic{n % 2}\n' for n in range(10))
    text = f"Document,Topic_group\n{rows}"
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith("gz") else text.encode())
    return path


def replay(path: Path, **change: object) -> tuple[int, list[Planned]]:
    given = {"text": "Document", "label": "Topic_group", "skip": 0.0, "rate": 100.0, "seed": 1}
    count, plan = replayed(path, **(given | change))  # type: ignore[arg-type]
    return count, list(plan)


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_rows_are_replayed_in_order_after_the_skipped(tmp_path: Path, name: str) -> None:
    count, plan = replay(csv_file(tmp_path, name), skip=0.8)
    assert count == 2
    assert [(p.content["body"], p.topic) for p in plan] == [
        ("words, 8", "topic0"),
        ("words, 9", "topic1"),
    ]
    assert [p.ticket_id for p in plan] == ["R-0000009", "R-0000010"]
    assert 0 < plan[0].at < plan[1].at


@pytest.mark.parametrize(
    ("change", "word"),
    [({"text": "Body"}, "Document, Topic_group"), ({"skip": 1.0}, "nothing is left")],
)
def test_what_cannot_be_replayed_is_told(
    tmp_path: Path, change: dict[str, object], word: str
) -> None:
    with pytest.raises(Misconfigured, match=word):
        replay(csv_file(tmp_path), **change)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        replay(tmp_path / "none.csv")
