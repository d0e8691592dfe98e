"""What was found, changed, decided and told, as blocks."""

from collections.abc import Iterator
from typing import Any

from domain.model.finding import FindingStatus
from domain.model.state import ChangeStatus
from domain.model.timeline import Entry
from domain.rules.account import Account, CastVote, ToldChange, ToldPlan
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Items, Table, plain

_DECIDED = {
    "severity": "severity changed",
    "mitigated": "mitigated",
    "resolved": "resolved",
    "reopened": "reopened",
    "false-alarm": "false alarm",
    "closed": "closed",
}
_BAD = {ChangeStatus.FAILED, ChangeStatus.EXPIRED}
_GOOD = {ChangeStatus.APPLIED, ChangeStatus.ALREADY_DONE}


def findings(account: Account, clock: Clock) -> Iterator[Block]:
    """What the probes saw, with what they counted and where the evidence is."""
    yield Heading(2, "What was found")
    if not account.findings:
        yield "Nothing was looked at."
        return
    rows = [
        [f.title or f.step, f.status, clock.in_text(f.summary), clock.in_text(_facts(f.facts)), f.evidence or ""]
        for f in account.findings
    ]
    bad = {n: "bad" for n, f in enumerate(account.findings) if f.status is FindingStatus.SUSPECT}
    yield f"The probes answered between {clock(account.findings[0].at)} and {clock(account.findings[-1].at)}."
    yield Table(["Probe", "Status", "What was seen", "Facts", "Evidence"], rows, bad)


def _facts(facts: dict[str, Any]) -> str:
    return plain(facts) if facts else ""


def changes(account: Account, clock: Clock) -> Iterator[Block]:
    """Every change: what stood before and after, who voted, and what came of it."""
    yield Heading(2, "What was changed")
    if not account.changes:
        yield "Nobody asked for a change."
    for change in account.changes:
        yield from _change(change, clock)


def _change(change: ToldChange, clock: Clock) -> Iterator[Block]:
    number = f" ({change.generation})" if change.generation > 1 else ""
    yield Heading(3, f"{'Undo: ' if change.undo_of else ''}{change.title or change.action}{number}: {change.status}")
    yield (
        f"{change.action}, class {change.approval_class or 'not known'}, "
        f"requested by {change.requested_by} at {clock(change.requested_at)}."
    )
    yield from _plan(change.plan)
    if change.approvals:
        columns = ["Who", "Role", "Decision", "At", "Identity proven", "Comment"]
        yield Table(columns, [_vote(vote, clock) for vote in change.approvals])
    if change.reason:
        yield f"Outcome at {clock(change.ended_at)}: {clock.in_text(change.reason)}"
    if change.ours is False:
        yield "It was not our doing."
    yield Items([*_names(change)])


def _plan(plan: ToldPlan | None) -> Iterator[Block]:
    if plan is None:
        yield "There was no plan."
        return
    if plan.summary:
        yield plan.summary
    yield f"Impact: {plan.impact}"
    names = list(dict.fromkeys([*plan.before, *plan.after]))
    rows = [[name, plain(plan.before.get(name)), plain(plan.after.get(name))] for name in names]
    yield Table(["Field", "Before", "After"], rows)


def _names(change: ToldChange) -> Iterator[str]:
    """What tells this change from every other."""
    yield f"Change: {change.workflow_id}"
    if change.undo_of:
        yield f"Undoes: number {change.undo_of} of the same step"
    if change.plan is not None:
        yield f"Target: {change.plan.target}"
        yield f"Digest: {change.plan.digest}"


def _vote(vote: CastVote, clock: Clock) -> list[str]:
    proven = "yes" if vote.verified else "no"
    return [vote.by, vote.role, vote.decision, clock(vote.at), proven, vote.comment or ""]


def decisions(account: Account, entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """Who decided what, and why: votes, severities, statuses, waivers and duties."""
    yield Heading(2, "Decisions")
    rows = [[clock(entry.at), entry.actor, what, why] for entry in entries for what, why in _decided(entry, clock)]
    yield Table(["At", "Who", "What", "Why"], rows) if rows else "Nobody has decided anything yet."
    if account.refused:
        yield "What was refused:"
        yield Table(["At", "Who", "What"], [[clock(said.at), said.by, said.text] for said in account.refused])


def _decided(entry: Entry, clock: Clock) -> Iterator[tuple[str, str]]:
    why = entry.data.get("reason") or ""
    if "decision" in entry.data:
        role, step = entry.data.get("role"), entry.data.get("step")
        yield f"{entry.data['decision']} {step}, as {role}", entry.data.get("comment") or ""
    elif entry.kind == "severity":
        yield f"severity {entry.data['from']} to {entry.data['to']}", why
    elif entry.kind in _DECIDED:
        yield _DECIDED[entry.kind], why
    elif entry.kind == "task" and entry.data.get("status") == "waived":
        yield f"waived {entry.data['step']}", entry.data.get("note") or ""
    elif entry.kind == "obligation" and entry.data.get("event") in {"moved", "signed", "ended"}:
        told = entry.data
        outcome = told.get("outcome") or ("still open" if told.get("state") == "open" else told.get("state"))
        because = why or told.get("justification") or told.get("reference") or ""
        yield f"{told['title']}: {told['event']}, {outcome}", because
    elif entry.kind == "fact":
        yield f"{entry.data['title']}: {clock(entry.data['value'])}", why


def pages(account: Account, clock: Clock) -> Iterator[Block]:
    """Who was paged, when and why."""
    yield Heading(2, "Who was paged")
    rows = [[clock(p.at), p.to, p.role, str(p.level or "on call"), p.reason] for p in account.pages]
    yield Table(["At", "Who", "Role", "Level", "Why"], rows) if rows else "Nobody."


def notices(account: Account, clock: Clock) -> Iterator[Block]:
    """What was told outside."""
    yield Heading(2, "What was told outside")
    rows = [[n.step, n.action, n.status, clock(n.due_at), n.reference or n.reason or ""] for n in account.notices]
    yield Table(["Step", "By", "Status", "Due", "Reference or reason"], rows) if rows else "Nothing was to be told."
