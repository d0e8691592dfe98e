"""From the entries of a timeline, and nothing else, to the account of the incident."""

from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError

from domain.audit import evidence
from domain.model.state import Page
from domain.model.timeline import Entry
from domain.rules import custody
from domain.rules.account import Account, Link, Said, SeenFinding, Step, ToldNotice, ToldTask
from domain.rules.account_changes import take_progress, take_request
from domain.rules.account_deadlines import take_clocks
from domain.rules.account_duties import take_fact, take_obligation
from domain.values.severity import Severity
from domain.values.status import Status


class NoAccountError(ValueError):
    """The entries do not tell an incident from its declaration on; the text says what is wrong."""


def fold(entries: Iterable[Entry]) -> Account:
    """Tell the incident of a whole timeline, oldest entry first; kinds that it does not know tell it nothing.

    Raises `NoAccountError`.
    """
    account: Account | None = None
    told = []
    for entry in entries:
        told.append(entry)
        try:
            account = _declared(entry) if account is None else _taken(account, entry)
        except (ValidationError, KeyError, TypeError, AttributeError) as error:
            raise NoAccountError(f"entry {entry.seq} ({entry.kind}) cannot be read") from error
    if account is None:
        raise NoAccountError("there are no entries")
    account.custody = evidence.custody([entry for entry in told if entry.kind == custody.KIND])
    return account


def _declared(entry: Entry) -> Account:
    if entry.kind != "declared":
        raise NoAccountError(f"entry {entry.seq} is {entry.kind}, no declaration: what came before it is missing")
    told = entry.data
    account = Account(
        **{name: told[name] for name in ("type", "type_title", "title", "description", "severity", "mode")},
        **{name: told[name] for name in ("environment", "phi", "aware_at", "opened_by")},
        id=told["incident"],
        declared_at=entry.at,
        declared_by=entry.actor,
        runbook={"id": told["type"], "version": told["runbook_version"], "digest": told["runbook_digest"]},
        severities=[Step(at=entry.at, by=entry.actor, to=told["severity"])],
        statuses=[Step(at=entry.at, by=entry.actor, to=Status.DECLARED)],
        tasks=[ToldTask.model_validate(task) for task in told["tasks"]],
        notices=[ToldNotice.model_validate(notice) for notice in told["to_tell"]],
    )
    _take_dates(account, entry)
    return account


def _taken(account: Account, entry: Entry) -> Account:
    if "commander" in entry.data:
        account.commander = entry.data["commander"]
    take = _KINDS.get(entry.kind)
    if take is not None:
        take(account, entry)
    elif "workflow_id" in entry.data:
        take_progress(account.changes, entry)
    _take_dates(account, entry)
    return account


def _take_dates(account: Account, entry: Entry) -> None:
    due: dict[str, Any] = entry.data.get("due", {})
    account.tasks = [
        ToldTask.model_validate({**task.model_dump(), "due_at": due[task.step]}) if task.step in due else task
        for task in account.tasks
    ]
    told: dict[str, Any] = entry.data.get("notices", {})
    account.notices = [
        ToldNotice.model_validate({"step": notice.step, **told[notice.step]}) if notice.step in told else notice
        for notice in account.notices
    ]
    take_clocks(account, entry)


def _step(account: Account, entry: Entry, status: Status) -> None:
    account.status = status
    account.statuses.append(Step(at=entry.at, by=entry.actor, to=status, reason=entry.data.get("reason")))


def _acknowledged(account: Account, entry: Entry) -> None:
    if account.status is Status.DECLARED:
        account.acknowledged_at = entry.at
        account.first_acknowledged_at = account.first_acknowledged_at or entry.at
        _step(account, entry, Status.ACKNOWLEDGED)


def _mitigated(account: Account, entry: Entry) -> None:
    account.mitigated_at = entry.at
    _step(account, entry, Status.MITIGATED)


def _resolved(account: Account, entry: Entry) -> None:
    account.resolved_at = entry.at
    _step(account, entry, Status.RESOLVED)


def _ended(account: Account, entry: Entry) -> None:
    account.closed_at = entry.at
    _step(account, entry, Status.CLOSED if entry.kind == "closed" else Status.FALSE_ALARM)


def _reopened(account: Account, entry: Entry) -> None:
    account.acknowledged_at = account.mitigated_at = account.resolved_at = None
    account.reopened = entry.data["count"]
    _step(account, entry, Status.DECLARED)


def _severity(account: Account, entry: Entry) -> None:
    account.severity = Severity(entry.data["to"])
    account.severities.append(Step(at=entry.at, by=entry.actor, to=account.severity, reason=entry.data.get("reason")))


def _alert(account: Account, entry: Entry) -> None:
    account.alerts = entry.data["count"]


def _page(account: Account, entry: Entry) -> None:
    account.pages.append(Page.model_validate({"reason": "", **entry.data, "at": entry.at}))


def _finding(account: Account, entry: Entry) -> None:
    account.findings.append(SeenFinding.model_validate({**entry.data, "at": entry.at}))


def _task(account: Account, entry: Entry) -> None:
    step, status = entry.data["step"], entry.data["status"]
    if status == "open":  # asked for by a finding or a change; an old record tells no more of it than its text
        asked = {"title": entry.text, "owner": "", "phase": "", "required": True, **entry.data}
        account.tasks.append(ToldTask.model_validate(asked))
        return
    for task in account.tasks:
        if task.step == step:
            task.status, task.note = status, entry.data.get("note")
            task.by, task.at = entry.actor, entry.at


def _linked(account: Account, entry: Entry) -> None:
    account.links.append(Link.model_validate({"because": "", **entry.data}))


def _said(entry: Entry) -> Said:
    return Said(at=entry.at, by=entry.actor, text=entry.text)


_KINDS: dict[str, Callable[[Account, Entry], None]] = {
    "acknowledged": _acknowledged,
    "mitigated": _mitigated,
    "resolved": _resolved,
    "closed": _ended,
    "false-alarm": _ended,
    "reopened": _reopened,
    "severity": _severity,
    "duplicate-alert": _alert,
    "page": _page,
    "finding": _finding,
    "change-requested": lambda account, entry: take_request(account.changes, entry),
    "task": _task,
    "linked": _linked,
    "note": lambda account, entry: account.notes.append(_said(entry)),
    "refused": lambda account, entry: account.refused.append(_said(entry)),
    "fact": lambda account, entry: take_fact(account.facts, entry),
    "obligation": lambda account, entry: take_obligation(account.obligations, entry),
}
