"""What is learned and what is judged on."""

import pytest

from services.classifier.training.examples import Evidence, Example, choose_cut, touched
from services.classifier.training.reading import CorrectionsRead, Decision, LabelsRead, Sample
from tests.unit.classifier.training.journal import Ticket, at, correction, label, logs, tickets


def decision(offset: int) -> Decision:
    return Decision(f"t-{offset}", f"text {offset}", {"topic": "net"}, offset, at(offset))


def test_the_newest_fifth_is_held_out() -> None:
    cut = choose_cut([decision(n) for n in range(1_000)], unlearned=0)
    assert cut is not None
    assert cut.offset == 800


def test_at_least_so_many_are_held_out_that_they_can_judge() -> None:
    cut = choose_cut([decision(n) for n in range(100)], unlearned=0)
    assert cut is not None
    assert cut.offset == 50


def test_what_the_champion_has_learned_judges_nobody() -> None:
    cut = choose_cut([decision(n) for n in range(1_000)], unlearned=930)
    assert cut is not None
    assert cut.offset == 930


@pytest.mark.parametrize(("count", "unlearned"), [(49, 0), (1_000, 951)])
def test_too_few_choose_no_cut(count: int, unlearned: int) -> None:
    assert choose_cut([decision(n) for n in range(count)], unlearned) is None


def evidence_of(
    corrected: float, *, sure: float = 0.8, wrong: float = 0.3
) -> tuple[Evidence, CorrectionsRead]:
    corrections, labels = logs(tickets(1_500), wrong=wrong, corrected=corrected)
    read = CorrectionsRead()
    for offset, event in enumerate(corrections):
        read.add(offset, event)
    decisions = read.decisions()
    cut = choose_cut(decisions, 0)
    assert cut is not None
    found = LabelsRead(cut.at, touched(read), Sample(9_999, 0), Sample(9_999, 0))
    for each in labels:
        found.add(each)
    return Evidence(cut, decisions, found, sure), read


@pytest.mark.parametrize("corrected", [1.0, 0.5])
def test_held_out_tickets_stand_for_all_that_were_labelled_since(corrected: float) -> None:
    evidence, _ = evidence_of(corrected)
    held_out = evidence.held_out("topic", evidence.examples([]))
    since = evidence._labels.expected["topic"].labels
    assert held_out.weights.sum() == pytest.approx(since, rel=0.15)
    assert held_out.hindsight.corrected == pytest.approx(corrected, abs=0.15)
    assert held_out.decided == pytest.approx(corrected * 0.3 * since, rel=0.2)


def test_examples_and_held_out_tickets_are_disjoint() -> None:
    evidence, _ = evidence_of(1.0)
    examples = evidence.examples([Example("old ticket", {"topic": "net"})])
    held_out = evidence.held_out("topic", examples)
    assert not {each.text for each in examples} & set(held_out.texts)
    assert len(held_out.texts) == len(set(held_out.texts))


def test_untouched_labels_are_learned_only_where_they_are_likely_right() -> None:
    thorough, _ = evidence_of(1.0)
    careless, _ = evidence_of(0.2)
    assert any(not each.corrected for each in thorough.examples([]))
    assert all(each.corrected for each in careless.examples([]))


def test_a_corrected_text_is_only_what_it_was_corrected_to() -> None:
    evidence, read = evidence_of(1.0)
    first = read.decisions()[0]
    material = [Example(first.text, {"topic": "something else"}), Example("old", {"topic": "pay"})]
    found = {each.text: each for each in evidence.examples(material)}
    assert found[first.text] == Example(first.text, first.values, corrected=True)
    assert found["old"].values == {"topic": "pay"}


def test_a_confirmed_label_counts_once() -> None:
    desk = [Ticket(f"vpn {n}", "net") for n in range(200)]
    read = CorrectionsRead()
    for number in range(100, 200):
        read.add(number - 100, correction(number, desk[number]))
    decisions = read.decisions()
    cut = choose_cut(decisions, 0)
    assert cut is not None
    labels = LabelsRead(cut.at, touched(read), Sample(99, 0), Sample(99, 0))
    for number, ticket in enumerate(desk):
        labels.add(label(number, ticket, "net", 0.9))
    held_out = Evidence(cut, decisions, labels).held_out("topic", [])
    assert held_out.hindsight.confirmed > 0.9
    assert held_out.weights.tolist() == [1.0] * held_out.decided


def test_a_priority_nobody_set_is_not_held_out() -> None:
    evidence, _ = evidence_of(1.0)
    assert evidence.held_out("priority", []).decided == 0
