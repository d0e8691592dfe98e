"""Stored incidents are run again: nothing differs by itself, and what a change of rules or files makes is told."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.model.timeline import Entry
from domain.rehearsal.documents import Documents, Leaf
from domain.rehearsal.outcome import Difference
from domain.rehearsal.record import Record, read
from domain.rehearsal.rehearse import Explained, Rehearser
from domain.rules import change, clock_runs, obligation_rules, paging
from tests.domain.record_ledgers import FOLDER, PLAYS
from tests.domain.stored_incidents import MANY, stored

pytestmark = pytest.mark.xdist_group("rehearsal")  # the incidents are made once a process

CLASSES = dict.fromkeys(("test.rollback", "test.scale", "test.promote"), ApprovalClass.A2)
SOME = 30
Edit = Callable[[dict[str, Any]], None]


@cache
def records(count: int = MANY) -> tuple[Record, ...]:
    return tuple(read(list(entries)) for entries in stored()[:count])


def documents(record: Record) -> Documents:
    return Documents.of(record.declaration)


def altered(record: Record, edit: Edit) -> Documents:
    """The documents of the declaration, with an edit in what the files say."""
    content = documents(record).model_dump(mode="json", by_alias=True)
    edit(content)
    return Documents.model_validate(content)


def rehearsed(edit: Edit, count: int = SOME) -> list[Explained]:
    """All that would be otherwise in the first so many incidents."""
    rehearser = Rehearser(CLASSES)
    return [one for record in records(count) for one in rehearser.rehearse(record, altered(record, edit))]


@pytest.mark.long
def test_three_hundred_incidents_differ_in_nothing_from_themselves() -> None:
    """The same rules and files tell the same, whatever people did, however late it was done and what was lost."""
    assert len(records()) == MANY
    assert sum(len(record.late) for record in records()) > MANY / 2
    told = [
        (record.declaration.incident_id, Rehearser(CLASSES).rehearse(record, documents(record))) for record in records()
    ]
    assert [one for one in told if one[1]] == []


@pytest.mark.parametrize("name", PLAYS)
def test_recorded_ledgers_differ_in_nothing(name: str) -> None:
    """Ledgers that earlier releases wrote are read in their shapes of then.

    Of one the play kept the voters' time itself, at ten minutes where a P1 has thirty; that alone is told.
    """
    lines = (FOLDER / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
    record = read([Entry.model_validate_json(line) for line in lines])
    told = [one.difference for one in Rehearser(CLASSES).rehearse(record, documents(record))]
    asked = "asked 2026-11-23T03:01:10Z: 1 of incident-commander (), until 2026-11-23T03:{}:10Z"
    known = {"outage-1": [Difference("approval of rollback/1", asked.format(11), asked.format(31))]}
    assert told == known.get(name, [])


def _step(content: dict[str, Any], name: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A step of the runbook with its phase."""
    return next((one, step) for one in content["runbook"]["phases"] for step in one["steps"] if step["id"] == name)


def _later(content: dict[str, Any]) -> None:
    content["organisation"]["severities"]["P0"]["levels"][1]["unacknowledged"] = "PT10M"


def _approver(content: dict[str, Any]) -> None:
    content["organisation"]["approval"]["A2"]["roles"] = ["incident-commander", "cto"]


def _within(content: dict[str, Any]) -> None:
    content["runbook"]["phases"][0]["within"] = "PT10M"


def _obligation(content: dict[str, Any]) -> None:
    content["obligations"]["obligations"][0]["due"]["within"] = "P10D"


def _no_contact(content: dict[str, Any]) -> None:
    people = content["organisation"]["contacts"]
    content["organisation"]["contacts"] = [one for one in people if one["id"] != "security-lead"]


def _moved(content: dict[str, Any]) -> None:
    phase, step = _step(content, "assess")
    phase["steps"].remove(step)
    content["runbook"]["phases"][1]["steps"].append(step)


def _reminders(content: dict[str, Any]) -> None:
    content["obligations"]["obligations"][1]["reminders"][0]["after"] = "PT1M"


def _repage(content: dict[str, Any]) -> None:
    content["organisation"]["severities"]["P1"]["repage"] = "PT20M"


def _raises(content: dict[str, Any]) -> None:
    _step(content, "health")[1]["raises_to"] = "P0"


def _no_step(content: dict[str, Any]) -> None:
    phase, step = _step(content, "promote")
    phase["steps"].remove(step)


def _notice(content: dict[str, Any]) -> None:
    _step(content, "investigating")[1]["after"] = "PT7M"


def _suggested(content: dict[str, Any]) -> None:
    _step(content, "rollback")[1]["suggested_by"] = []


PLANTED: dict[str, tuple[Edit, str, str]] = {
    "the chain is reached sooner": (_later, "organisation.severities.P0.levels.1.unacknowledged", "page of cto"),
    "somebody else approves": (_approver, "organisation.approval.A2.roles", "approval of rollback"),
    "a phase takes less": (_within, "runbook.phases.immediate.within", "deadline immediate"),
    "a duty is due sooner": (_obligation, "obligations.obligations.assessment.due.within", "duty assessment"),
    "somebody left": (_no_contact, "organisation.contacts.security-lead", "page of security-lead"),
    "a step stands elsewhere": (_moved, "runbook.steps.assess.#phase", "task assess"),
    "a reminder comes sooner": (
        _reminders,
        "obligations.obligations.statement.reminders.0.after",
        "reminder of privacy-officer",
    ),
    "pages come more rarely": (_repage, "organisation.severities.P1.repage", "page of devops-lead"),
    "a finding weighs more": (_raises, "runbook.steps.health.raises_to", "severity"),
    "a change is offered no more": (_no_step, "runbook.steps.promote", "offer promote"),
    "the public is told later": (_notice, "runbook.steps.investigating.after", "notice investigating"),
    "a finding speaks for nothing": (_suggested, "runbook.steps.rollback.suggested_by", "suggestion of rollback"),
}


def _path(leaf: Leaf) -> str:
    return ".".join(map(str, leaf.path))


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_change_is_told_with_its_cause(name: str) -> None:
    """What the change is for is told, and whatever is told has that one value for its cause."""
    edit, path, expected = PLANTED[name]
    told = rehearsed(edit)
    assert {_path(leaf) for one in told for leaf in one.leaves} == {path}
    assert all(one.leaves for one in told)
    assert any(one.difference.what.startswith(expected) for one in told)


def test_of_several_changes_each_is_told_with_what_it_makes() -> None:
    """Three at once, and three that make nothing: every difference has one cause, and it is the right one."""

    def several(content: dict[str, Any]) -> None:
        for edit in (_later, _within, _obligation):
            edit(content)
        content["runbook"]["title"] = "Another title"
        content["organisation"]["title"] = "Another name"
        content["environment"]["account"] = "210987654321"

    made = {
        PLANTED[name][1]: PLANTED[name][2]
        for name in list(PLANTED)
        if PLANTED[name][0] in (_later, _within, _obligation)
    }
    told = rehearsed(several, 30)
    assert {tuple(map(_path, one.leaves)) for one in told} == {(path,) for path in made}
    for one in told:
        if one.difference.what.startswith(("duty", "deadline immediate")):
            assert one.difference.what.startswith(made[_path(one.leaves[0])])


def test_what_two_values_make_together_has_both_for_its_cause() -> None:
    """Whoever takes over a role that the chain names: one leaves and the other holds it, and neither alone does it."""

    def handed_over(content: dict[str, Any]) -> None:
        people = content["organisation"]["contacts"]
        people[:] = [one for one in people if one["id"] != "cto"]
        next(one for one in people if one["id"] == "ceo")["roles"] = ["ceo", "cto"]

    told = rehearsed(handed_over, 20)
    paths = {tuple(leaf.path[2:] for leaf in one.leaves) for one in told if one.difference.what == "page of ceo as cto"}
    assert paths == {(("cto",), ("ceo", "roles"))}


def _without_leads(state: Any, elapsed: int) -> list[str]:
    return list(state.declaration.runbook.on_call[:1])


def _sooner(state: Any, at: Any) -> None:
    clock_runs.start(state, "ack", at, at + state.policy.respond / 2)
    clock_runs.start(state, "progress", at, at + state.policy.progress)


def _silent(state: Any, now: Any) -> Iterator[Any]:
    yield from ()


def _by_the_cto(organisation: Any, written: Any, approval_class: Any) -> ApprovalRule:
    return ApprovalRule(roles=("cto",), quorum=1)


@pytest.mark.parametrize(
    ("module", "rule", "patched", "expected"),
    [
        (paging, "_leads", _without_leads, "page of development-lead"),
        (clock_runs, "start_response", _sooner, "deadline ack"),
        (change, "rule_for", _by_the_cto, "approval of rollback"),
    ],
    ids=["fewer are paged", "less time to acknowledge", "others approve"],
)
def test_another_rule_is_told_as_the_release(
    monkeypatch: pytest.MonkeyPatch, module: Any, rule: str, patched: Any, expected: str
) -> None:
    """The files are the same: what differs comes of the rules, and no line is blamed for it."""
    records()
    monkeypatch.setattr(module, rule, patched)
    told = rehearsed(lambda _: None)
    assert told
    assert not any(one.leaves for one in told)
    assert any(one.difference.what.startswith(expected) for one in told)


def test_rules_and_files_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    records()
    monkeypatch.setattr(clock_runs, "start_response", _sooner)
    causes: dict[str, set[str]] = {}
    for one in rehearsed(_within):
        causes.setdefault(one.difference.what, set()).update(map(_path, one.leaves))
    assert causes["deadline ack"] == set()
    assert causes["deadline immediate"] == {PLANTED["a phase takes less"][1]}


def test_a_rule_that_never_does_what_is_due_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time would stand still for ever: it is said, and at which instant."""
    records()
    monkeypatch.setattr(obligation_rules, "remind", _silent)
    with pytest.raises(RuntimeError, match="is never done"):
        rehearsed(lambda _: None)
