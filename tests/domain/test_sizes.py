"""Nothing that comes in makes an entry that the ledger's table could not take; what is too big is refused before."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.config.runbook import ProbeStep
from domain.model.activity_io import Planned
from domain.model.commands import CHANGE_COMMANDS, INCIDENT_COMMANDS, Command, Delegate
from domain.model.event_kinds import Happening
from domain.model.events import Noted
from domain.model.finding import Finding, FindingStatus
from domain.model.timeline import Entry, Timeline
from domain.rules import alerts, findings
from domain.rules.ledger_progress import BATCH, LedgerProgress
from domain.rules.live import LiveIncident
from domain.values import limits
from domain.values.status import Status
from tests.builders import T0, declaration, minutes
from tests.delegating import delegation
from tests.domain.changing import change, plan
from tests.domain.speaking import incident_in, say

LONGEST = "🏥" * 4000
FREE = ("set", "proof")
"""Fields that have no length of their own."""

FIELDS: dict[str, Any] = {
    "by": "devops-lead",
    "text": LONGEST,
    "reason": LONGEST,
    "summary": LONGEST,
    "note": LONGEST,
    "comment": LONGEST,
    "justification": LONGEST,
    "reference": "🏥" * 500,
    "severity": "P1",
    "step": "assess",
    "evidence": "🏥" * 300,
    "event": "transferred",
    "to": "🏥" * 200,
    "of": "🏥" * 200,
    "fact": "belief_at",
    "digest": "0" * 64,
    "delegation": "0" * 200,
}


def full(name: str, model: type[Command], field: str | None = None) -> dict[str, Any]:
    """A payload whose texts are as long as they may be; what room is left is put into one free `field`."""
    payload = {key: value for key, value in FIELDS.items() if key in model.model_fields}
    if model is Delegate:
        payload["delegation"] = delegation(reason="🏥" * 500).model_dump(mode="json")
    if field is not None:
        payload[field] = {} if field == "set" else ""
        room = "x" * (limits.COMMAND - limits.size(payload) - 10)
        payload[field] = {"count": room[9:]} if field == "set" else room
    return payload


def biggest(entries: list[Entry]) -> int:
    return max(len(entry.canonical().encode()) for entry in entries)


@pytest.mark.parametrize(("name", "model"), [*INCIDENT_COMMANDS.items(), *CHANGE_COMMANDS.items()])
def test_a_payload_is_bounded_as_a_whole(name: str, model: type[Command]) -> None:
    """As long as every text may be it is taken; beyond the limit it is invalid, in whatever field, and says so."""
    model.model_validate(full(name, model))
    for field in FREE:
        with pytest.raises(ValidationError, match="at most can go on record"):
            model.model_validate({**full(name, model), field: "x" * limits.COMMAND})


@pytest.mark.parametrize(("name", "model"), [*INCIDENT_COMMANDS.items(), *CHANGE_COMMANDS.items()])
def test_what_names_something_is_short(name: str, model: type[Command]) -> None:
    """Who, which step, which fact: two hundred characters hold any name of ours."""
    for field in ("by", "step", "fact", "digest", "outcome"):
        if field in model.model_fields:
            model.model_validate({**full(name, model), field: "x" * 200})
            with pytest.raises(ValidationError, match="at most 200 characters"):
                model.model_validate({**full(name, model), field: "x" * 201})


@pytest.mark.parametrize("status", [Status.DECLARED, Status.ACKNOWLEDGED, Status.MITIGATED, Status.RESOLVED])
@pytest.mark.parametrize(("name", "model"), list(INCIDENT_COMMANDS.items()))
def test_whatever_is_said_fits_an_item(name: str, model: type[Command], status: Status) -> None:
    """Done or refused, in every status: the entries of the biggest payload that is taken fit the table."""
    for field in (None, *(field for field in FREE if field in model.model_fields)):
        incident = incident_in(status)
        command = model.model_validate(full(name, model, field))
        length = incident.timeline.length
        say(incident, name, command)
        assert incident.timeline.length > length
        assert biggest(incident.timeline.entries) < limits.ITEM


def test_the_biggest_plan_fits_an_item() -> None:
    """A plan at its limit, with the vote on it, in the change's entries."""
    made = change()
    room = {"rules": "x" * (limits.PLAN - limits.size(plan().model_dump(mode="json")) - 40)}
    big = plan(before={"revision": 8, **room}, after={"revision": 7, "rules": ""})
    assert limits.PLAN - 100 < limits.size(big.model_dump(mode="json")) <= limits.PLAN
    made.planned(Planned(plan=big), T0)
    timeline = Timeline()
    news = made.news()
    assert news is not None
    for one in news.events:
        timeline.append(one.at, one.actor, one.event.kind, one.event.sentence(one.actor), one.event.data())
    assert limits.PLAN - 1000 < biggest(timeline.entries) < limits.ITEM


@settings(max_examples=50)
@given(st.integers(0, 200_000), st.integers(0, 200_000), st.sampled_from(list(FindingStatus)))
def test_a_finding_gives_way_and_keeps_its_status(summary: int, facts: int, status: FindingStatus) -> None:
    """One that fits is as it was; of one that does not the facts go, and it says so; its entry fits the table."""
    finding = Finding(status=status, summary="s" * summary, facts={"seen": "f" * facts}, evidence="arn:1")
    kept = finding.bounded()
    assert (kept.status, kept.evidence) == (status, "arn:1")
    assert limits.size(kept.model_dump(mode="json")) <= limits.FINDING
    if limits.size(finding.model_dump(mode="json")) <= limits.FINDING:
        assert kept == finding
    else:
        assert "bytes" in kept.facts["left_out"]
        assert kept.summary[:1999] == finding.summary[:1999]
    incident = LiveIncident.declared(declaration())
    step = incident.state.declaration.runbook.step("deployments")
    assert isinstance(step, ProbeStep)
    incident.take(findings.found(incident.state, step, kept), T0)
    assert biggest(incident.timeline.entries) < limits.ITEM


def test_a_long_alert_is_cut() -> None:
    incident = LiveIncident.declared(declaration())
    incident.take(alerts.repeated(incident.state, "b" * 500_000, "a" * 500_000), T0)
    entry = incident.timeline.entries[-1]
    assert entry.text.endswith("a…")
    assert biggest([entry]) < 10_000


def grown(count: int, text: str) -> LiveIncident:
    """An incident with so many notes that the ledger does not have yet."""
    incident = LiveIncident.declared(declaration())
    for number in range(count):
        incident.take([Happening(Noted(text=f"{number} {text}"), "cto")], T0 + minutes(number))
    return incident


@pytest.mark.parametrize(
    ("count", "text", "most"),
    [(230, "short", 99), (130, LONGEST, 62), (8, "x" * 300_000, 3), (3, "x" * 1_200_000, 1)],
    ids=["short", "longest", "big", "too big"],
)
def test_a_batch_is_bounded(count: int, text: str, most: int) -> None:
    """Every entry is written, in order, at most so many and so many bytes at once; one alone always goes."""
    incident, written, progress = grown(count, text), 0, LedgerProgress()
    while progress.is_behind(incident.state, incident.timeline):
        batch = progress.next_batch(incident.state, incident.timeline, T0)
        assert [entry.seq for entry in batch] == [*range(written + 1, written + len(batch) + 1)]
        assert 1 <= len(batch) <= most + (written == 0)
        assert len(batch) == 1 or sum(len(e.canonical().encode()) for e in batch) <= limits.BATCH
        written = batch[-1].seq
        assert list(progress.wrote(written, 1)) == []
    assert written == incident.timeline.length


def test_a_batch_ends_where_a_cause_does() -> None:
    """A round of paging and its pages are written together, so that no restore believes pages that nobody asked for."""
    incident = grown(BATCH - grown(0, "").timeline.length, "short")
    first = incident.timeline.length + 1
    rounds = [Noted(text=f"page {number}") for number in range(5)]
    incident.take([Happening(event) for event in rounds], T0 + minutes(9), {"deadline": "level 2"})
    batch = LedgerProgress().next_batch(incident.state, incident.timeline, T0)
    assert batch[-1].seq == first - 1
    rest = LedgerProgress(written=first - 1).next_batch(incident.state, incident.timeline, T0)
    assert [entry.seq for entry in rest] == [*range(first, first + 5)]


def test_a_cause_that_fits_nowhere_is_cut() -> None:
    """What came of one cause and is too much for one transaction is written in parts."""
    incident = LiveIncident.declared(declaration())
    written = incident.timeline.length
    events = [Noted(text=f"page {number}") for number in range(150)]
    incident.take([Happening(event) for event in events], T0, {"deadline": "level 2"})
    assert len(LedgerProgress(written=written).next_batch(incident.state, incident.timeline, T0)) == BATCH


@pytest.mark.parametrize(("text", "kept"), [("short", 200), ("x" * 20_000, 24)])
def test_what_is_carried_on_is_bounded(text: str, kept: int) -> None:
    """A new run carries the latest entries, so many and so many bytes at most, and always what is not written yet."""
    incident = grown(300, text)
    LedgerProgress(written=incident.timeline.length).shorten(incident.timeline)
    timeline = incident.timeline
    assert len(timeline.entries) == kept
    assert timeline.dropped == timeline.length - kept
    assert timeline.first_broken() is None
    behind = grown(300, text)
    LedgerProgress().shorten(behind.timeline)
    assert behind.timeline.dropped == 0


def test_what_counts_is_bytes() -> None:
    """As UTF-8, and what is no JSON as its text."""
    assert limits.size("🏥") == 6
    assert limits.size({"a": [1, None, True]}) == len('{"a":[1,null,true]}')
    assert limits.size("\ud800") == 5
    assert limits.size(timedelta(days=1)) == len('"1 day, 0:00:00"')
