"""Every Redis key in one place. One writer: all of it is written by the forecaster.

| key                               | type   | content                                          |
|-----------------------------------|--------|--------------------------------------------------|
| position:{topic}:{partition}      | hash   | offset: next to read; source: highest src_offset |
| ticket:{id}                       | string | shared.read_model.TicketRecord, expires          |
| human:{id}                        | string | shared.read_model.HumanValues, expires           |
| correction:{event id}             | string | the ticket it corrected, expires                 |
| corrector:{actor}                 | zset   | ids of tickets somebody corrected, by Unix ms    |
| index:all, index:{dim}:{value}    | zset   | ticket ids by creation time (Unix ms)            |
| review                            | zset   | ids of unsure tickets by doubt (millionths)      |
| series:{dim}                      | set    | queues, topics, priorities that have windows     |
| load:{grain}:{period}:{dim}:{val} | string | packed u32 windows, see shared.windows           |
| mixes:{queue}                     | set    | shared.mixes.Mix: topics and priorities together |
| mix:{year}:{queue}␟{mix}          | string | packed u32 days of one of them                   |
| mix-notes                         | list   | JSON of what a batch adds to mix, until folded   |
| feed                              | stream | the latest labels (FeedEntry as `data`), bounded |
| totals                            | hash   | shared.read_model.Totals                         |
| dataset:{id}                      | string | shared.forecasting.Dataset, expires              |
| dataset:{id}:load:{year}:{queue}  | string | its days, packed like load, expires              |
| models, models:{dataset id}       | hash   | model id to shared.forecasting.TrainedModel      |
| events                            | hash   | id to shared.forecasting.EventRecord             |
| champion:{queue id}               | string | shared.forecasting.Champion, expires             |
| published:{queue id}              | hash   | first day to the packed forecast made for it     |
| alerts                            | zset   | alert ids by the start of the surge (Unix ms)    |
| alert:{id}                        | string | shared.events.AlertRaised, expires               |
| alerts:latest                     | hash   | {dim}:{value} to its latest AlertRaised          |
"""

POSITION_PREFIX = "position:"
FEED = "feed"
TOTALS = "totals"
INDEX_ALL = "index:all"
REVIEW = "review"
EVENTS = "events"
MIX_NOTES = "mix-notes"
ALERTS = "alerts"
ALERTS_LATEST = "alerts:latest"


def position(topic: str, partition: int) -> str:
    return f"{POSITION_PREFIX}{topic}:{partition}"


def ticket(ticket_id: str) -> str:
    return f"ticket:{ticket_id}"


def human(ticket_id: str) -> str:
    return f"human:{ticket_id}"


def correction(event_id: str) -> str:
    return f"correction:{event_id}"


def corrector(actor: str) -> str:
    return f"corrector:{actor}"


def index(dimension: str, value: str) -> str:
    return f"index:{dimension}:{value}"


def series(dimension: str) -> str:
    return f"series:{dimension}"


def load(grain: str, period: str, dimension: str, value: str) -> str:
    return f"load:{grain}:{period}:{dimension}:{value}"


def mixes(queue: str) -> str:
    return f"mixes:{queue}"


def mix(year: str, queue: str, member: str) -> str:
    # Queues and topics may have colons; the unit separator nobody types.
    return f"mix:{year}:{queue}\x1f{member}"


def alert(alert_id: str) -> str:
    return f"alert:{alert_id}"


def dataset(dataset_id: str) -> str:
    return f"dataset:{dataset_id}"


def dataset_load(dataset_id: str, year: str, queue_id: str) -> str:
    return f"dataset:{dataset_id}:load:{year}:{queue_id}"


def models(dataset_id: str | None) -> str:
    return f"models:{dataset_id}" if dataset_id else "models"


def champion(queue_id: int) -> str:
    return f"champion:{queue_id}"


def published(queue_id: int) -> str:
    return f"published:{queue_id}"
