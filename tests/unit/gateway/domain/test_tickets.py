"""What a human set is in force; what the model said stays readable."""

from services.gateway.domain.tickets import EXAMPLE, StoredTicket, Ticket, overlay
from tests.unit.gateway.builders import STAMP, a_record, human_values


def test_without_a_human_the_model_is_in_force() -> None:
    ticket = overlay(StoredTicket(a_record(1, priority=None, priority_scores={})))
    assert (ticket.topic, ticket.priority, ticket.queue) == ("vpn", None, "IT/Network")
    assert ticket.sources.model_dump() == {"topic": "model", "priority": "model", "queue": "model"}
    assert ticket.topic_scores == {"vpn": 0.9, "wifi": 0.1}
    assert ticket.model == STAMP
    assert ticket.human is None


def test_each_value_a_human_set_is_in_force_on_its_own() -> None:
    ticket = overlay(StoredTicket(a_record(1), human_values(1, topic="wifi", queue="HR")))
    assert (ticket.topic, ticket.priority, ticket.queue) == ("wifi", "high", "HR")
    assert ticket.sources.model_dump() == {"topic": "human", "priority": "model", "queue": "human"}
    assert ticket.predicted.model_dump() == {
        "topic": "vpn",
        "priority": "high",
        "queue": "IT/Network",
    }
    assert ticket.human is not None
    assert (ticket.human.topic, ticket.human.priority) == ("wifi", None)


def test_agreeing_is_setting() -> None:
    ticket = overlay(StoredTicket(a_record(1), human_values(1, topic="vpn")))
    assert ticket.sources.topic == "human"


def test_the_documented_example_is_a_ticket() -> None:
    assert Ticket.model_validate(EXAMPLE).sources.priority == "human"
