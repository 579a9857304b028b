"""Every Redis key in one place. One writer: all of it is the forecaster's projection.

| key                               | type   | content                                          |
|-----------------------------------|--------|--------------------------------------------------|
| position:{topic}:{partition}      | hash   | offset: next to read; source: highest src_offset |
| ticket:{id}                       | string | shared.read_model.TicketRecord, expires          |
| human:{id}                        | string | shared.read_model.HumanValues, expires           |
| index:all, index:{dim}:{value}    | zset   | ticket ids by creation time (Unix ms)            |
| series:{dim}                      | set    | queues, topics, priorities that have windows     |
| load:{grain}:{period}:{dim}:{val} | string | packed u32 windows, see shared.windows           |
| feed                              | stream | the latest labels (FeedEntry as `data`), bounded |
| totals                            | hash   | shared.read_model.Totals                         |
"""

POSITION_PREFIX = "position:"
FEED = "feed"
TOTALS = "totals"
INDEX_ALL = "index:all"


def position(topic: str, partition: int) -> str:
    return f"{POSITION_PREFIX}{topic}:{partition}"


def ticket(ticket_id: str) -> str:
    return f"ticket:{ticket_id}"


def human(ticket_id: str) -> str:
    return f"human:{ticket_id}"


def index(dimension: str, value: str) -> str:
    return f"index:{dimension}:{value}"


def series(dimension: str) -> str:
    return f"series:{dimension}"


def load(grain: str, period: str, dimension: str, value: str) -> str:
    return f"load:{grain}:{period}:{dimension}:{value}"
