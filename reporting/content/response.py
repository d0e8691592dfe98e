"""What was found, changed, decided and announced, as blocks."""

from collections.abc import Iterator

from domain.model import command_events, delegation_events, events, work_events
from domain.model.change_events import VoteCast
from domain.model.event_kinds import event_of
from domain.model.finding import FindingStatus
from domain.model.plan import Plan
from domain.model.proofs import Proven
from domain.model.records import ChangeRecord, Vote
from domain.model.state import IncidentState
from domain.model.timeline import Entry
from domain.values.local_time import Clock
from reporting.content.blocks import Block, Heading, Items, Table, plain

_DECIDED = {"mitigated", "resolved", "reopened", "false-alarm", "closed"}


def findings(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """What the probes saw, with what they counted and where the evidence is."""
    yield Heading(2, "What was found")
    if not state.findings:
        yield "Nothing was looked at."
        return
    rows = [
        [
            f.title or f.step,
            f.status,
            clock.in_text(f.summary),
            clock.in_text(plain(f.facts) if f.facts else ""),
            f.evidence or "",
        ]
        for f in state.findings
    ]
    bad = {n: "bad" for n, f in enumerate(state.findings) if f.status is FindingStatus.SUSPECT}
    yield f"The probes answered between {clock(state.findings[0].at)} and {clock(state.findings[-1].at)}."
    yield Table(["Probe", "Status", "What was seen", "Facts", "Evidence"], rows, bad)


def changes(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Every change: what stood before and after, who voted, and what came of it."""
    yield Heading(2, "What was changed")
    if not state.changes:
        yield "Nobody asked for a change."
    for change in state.changes:
        yield from _change(change, clock)


def _change(change: ChangeRecord, clock: Clock) -> Iterator[Block]:
    number = f" ({change.generation})" if change.generation > 1 else ""
    yield Heading(3, f"{'Undo: ' if change.undo_of else ''}{change.title or change.action}{number}: {change.status}")
    yield (
        f"{change.action}, class {change.approval_class or 'not known'}, "
        f"requested by {change.requested_by} at {clock(change.requested_at)}."
    )
    if change.preauthorised is not None:
        yield f"Nobody has asked for it: it was started by {change.preauthorised.told}."
    yield from _plan(change.plan)
    if change.approvals:
        columns = ["Who", "Role", "Decision", "At", "Identity proven", "Comment"]
        votes = change.approvals
        yield Table(columns, [[v.by, v.role, v.decision, clock(v.at), _proven(v), _said(v)] for v in votes])
    if change.reason:
        yield f"Outcome at {clock(change.ended_at)}: {clock.in_text(change.reason)}"
    if change.pieces:
        yield Table(["Piece", "What came of it"], [[name, came] for name, came in change.pieces.items()])
    if change.ours is False:
        yield "It was not our doing."
    yield Items([*_names(change)])


def _proven(vote: Vote) -> str:
    """By what it is proven who voted: of who decided alone whether the key has asked for them, too."""
    if not isinstance(vote.verified, Proven):
        return "yes" if vote.verified else "no"
    held = "" if vote.break_glass is None or vote.verified.holder_verified else ", without a PIN or finger"
    return f"yes{held}"


def _said(vote: Vote) -> str:
    return vote.comment or "" if vote.break_glass is None else f"Broke the glass, decided alone: {vote.break_glass}"


def _plan(plan: Plan | None) -> Iterator[Block]:
    if plan is None:
        yield "There was no plan."
        return
    if plan.summary:
        yield plan.summary
    yield f"Impact: {plan.impact}"
    names = list(dict.fromkeys([*plan.before, *plan.after]))
    rows = [[name, plain(plan.before.get(name)), plain(plan.after.get(name))] for name in names]
    yield Table(["Field", "Before", "After"], rows)


def _names(change: ChangeRecord) -> Iterator[str]:
    """What identifies this change."""
    yield f"Change: {change.workflow_id}"
    if change.undo_of:
        yield f"Undoes: number {change.undo_of} of the same step"
    if change.plan is not None:
        yield f"Target: {change.plan.target}"
        yield f"Digest: {change.plan.digest}"
        yield f"Words: {change.plan.words or 'none: the plan on record is not what its digest was made of'}"


def decisions(entries: list[Entry], clock: Clock) -> Iterator[Block]:
    """Who decided what, and why: votes, severities, statuses, waivers and duties."""
    yield Heading(2, "Decisions")
    rows = [[clock(entry.at), entry.actor, what, why] for entry in entries for what, why in _decided(entry, clock)]
    yield Table(["At", "Who", "What", "Why"], rows) if rows else "Nobody has decided anything yet."
    refused = [[clock(entry.at), entry.actor, entry.text] for entry in entries if entry.kind == "refused"]
    if refused:
        yield "What was refused:"
        yield Table(["At", "Who", "What"], refused)


def _decided(entry: Entry, clock: Clock) -> Iterator[tuple[str, str]]:
    event, why = event_of(entry), entry.data.get("reason") or ""
    match event:
        case VoteCast():
            alone = "" if event.break_glass is None else " alone, breaking the glass"
            yield f"{event.decision} {event.step}, as {event.role}{alone}", event.break_glass or event.comment or ""
        case delegation_events.Delegated():
            yield f"{event.delegation.to} stands in as {event.delegation.role}", event.delegation.reason
        case delegation_events.DelegationEnded():
            yield f"{event.to} stands in as {event.role} no more", event.reason
        case events.SeverityChanged():
            yield f"severity {event.before} to {event.after}", why
        case work_events.TaskEnded(status="waived"):
            yield f"waived {event.step}", event.note or ""
        case work_events.DutyStarted(moved=True):
            yield f"{event.title}: moved, due {clock(event.due_at)}", ""
        case work_events.DutySigned():
            ending = event.ending
            how = "signed, still open" if event.missing else f"ended, {ending.outcome or ending.state}"
            yield f"{event.title}: {how}", ending.reason or ending.justification or ending.reference or ""
        case work_events.FactRecorded():
            yield f"{event.title}: {clock(event.value)}", why
        case command_events.CommandOffered():
            yield f"offers command to {event.to}", ""
        case command_events.CommandTaken():
            yield f"takes command from {event.offer.by}", ""
        case command_events.HandOverLapsed():
            yield f"{event.to} has not taken command", f"{event.by} keeps it"
        case command_events.AcknowledgementLapsed():
            yield "the acknowledgement has lapsed", f"no sign of life of {event.commander} since {clock(event.since)}"
        case _ if entry.kind in _DECIDED:
            yield entry.kind.replace("-", " "), why
        case _:
            pass


def pages(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """Who was paged, when and why."""
    yield Heading(2, "Who was paged")
    rows = [[clock(p.at), p.to, p.role, str(p.level or "on call"), p.reason] for p in state.pages]
    yield Table(["At", "Who", "Role", "Level", "Why"], rows) if rows else "Nobody."
    if rows:
        yield "A page is sent when the provider takes it; that somebody read it only an acknowledgement says."


def notices(state: IncidentState, clock: Clock) -> Iterator[Block]:
    """What was announced."""
    yield Heading(2, "What was announced")
    rows = [[n.step, n.action, n.status, clock(n.due_at), n.reference or n.reason or ""] for n in state.notices]
    yield (
        Table(["Step", "By", "Status", "Due", "Reference or reason"], rows) if rows else "Nothing was to be announced."
    )
