"""Every clock of an incident in two pure functions: what is due next, and doing what is due.

Escalation, re-pages, reminders and notices are rows here, not loops of their own. All instants are UTC.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.config.runbook import NoticeStep
from domain.model.effects import SendNotice
from domain.model.state import Clock, NoticeRecord
from domain.rules import obligation_rules, tasks
from domain.rules.incident import Incident
from domain.values.status import Status


class Due(NamedTuple):
    """Something that happens by itself at an instant."""

    at: datetime
    what: str


def upcoming(incident: Incident) -> list[Due]:
    """Everything that will happen by itself if nobody does anything, earliest first."""
    state = incident.state
    due: list[Due] = []
    if incident.live and incident.is_responding():
        if state.status is Status.DECLARED and state.paging.next_at is not None:
            again = "page" if not state.paging.paged else "page again"
            due.append(Due(state.paging.next_at, again))
        level = _next_level(incident)
        if level is not None:
            due.append(Due(level, f"page {incident.declaration.organisation.chain[state.paging.level]}"))
    due += [Due(n.due_at, n.step) for n in state.notices if n.status == "waiting" and n.due_at is not None]
    if incident.ended:
        return sorted(due)
    due += [
        Due(clock.due_at, f"{name} overdue")
        for name, clock in state.clocks.items()
        if clock.state == "running" and not name.startswith("approval:")
    ]
    due += [Due(at, what) for at, what in [*obligation_rules.upcoming(incident), *tasks.upcoming(incident)]]
    return sorted(due)


def next_due(incident: Incident) -> Due | None:
    """The next thing that happens by itself; None when nothing will."""
    return next(iter(upcoming(incident)), None)


def fire(incident: Incident, now: datetime) -> None:
    """Do everything that is due at or before `now`, once; what a late wake-up missed is caught up in one go."""
    _breach_clocks(incident, now)
    if incident.live:
        _page_what_is_due(incident, now)
    _send_notices(incident, now)
    if not incident.ended:
        obligation_rules.fire(incident, now)
        tasks.remind(incident, now)


def _next_level(incident: Incident) -> datetime | None:
    """When the next level of the chain is engaged: unacknowledged, the earlier of the two clocks counts."""
    paging, policy = incident.state.paging, incident.policy
    if paging.level >= min(len(policy.levels), len(incident.declaration.organisation.chain)):
        return None
    level = policy.levels[paging.level]
    times = [level.unmitigated]
    if incident.state.status is Status.DECLARED:
        times.append(level.unacknowledged)
    earliest = min((time for time in times if time is not None), default=None)
    return None if earliest is None else paging.base + earliest


def _page_what_is_due(incident: Incident, now: datetime) -> None:
    """Page the levels that are reached now and, while nobody has acknowledged, everybody paged before."""
    if not incident.is_responding():
        return
    paging, chain = incident.state.paging, incident.declaration.organisation.chain
    roles: list[str] = []
    elapsed = max((now - paging.base) // incident.policy.repage, 0)
    tick = incident.state.status is Status.DECLARED and paging.next_at is not None and paging.next_at <= now
    if tick:
        paging.next_at = paging.base + (elapsed + 1) * incident.policy.repage
        roles += [*_leads(incident, elapsed), *paging.paged]
    while (at := _next_level(incident)) is not None and at <= now:
        role = chain[paging.level]
        paging.level += 1
        if role not in paging.paged or incident.state.status is Status.ACKNOWLEDGED:
            roles.append(role)
    reason = "not acknowledged" if elapsed else paging.reason
    if incident.state.status is Status.ACKNOWLEDGED:
        reason = "not mitigated"
    skip: set[str] = set()
    for role in dict.fromkeys(roles):
        level = chain.index(role) + 1 if role in chain else 0
        incident.page_role(role, level, reason, now, skip)
    paging.paged = list(dict.fromkeys([*paging.paged, *roles]))
    while paging.level < len(chain) and chain[paging.level] in paging.paged:
        paging.level += 1  # paged at once, whatever the clocks say: that level is reached


def _leads(incident: Incident, elapsed: int) -> list[str]:
    """The leads on call that are engaged after so many re-page intervals, and who is paged at once."""
    runbook = incident.declaration.runbook
    count = len(runbook.on_call) if incident.policy.page_all_leads else elapsed + 1
    with_phi = runbook.page_at_once_with_phi if incident.declaration.phi else ()
    return [*runbook.on_call[:count], *runbook.page_at_once, *with_phi]


def _breach_clocks(incident: Incident, now: datetime) -> None:
    for name, clock in list(incident.state.clocks.items()):
        if clock.state == "running" and clock.due_at <= now and not name.startswith("approval:"):
            incident.state.clocks[name] = Clock(due_at=clock.due_at, state="breached")
            incident.record(now, "orchestrator", "clock", f"Deadline missed: {name}", {"clock": name})
            if name == "ledger":
                _page_for_ledger(incident, now)


def _page_for_ledger(incident: Incident, now: datetime) -> None:
    """The record could not be written for five minutes: whoever is on call first must know."""
    incident.page_role(incident.declaration.runbook.on_call[0], 0, "the ledger cannot be written", now, set())


def _send_notices(incident: Incident, now: datetime) -> None:
    for notice in incident.state.notices:
        if notice.status != "waiting" or notice.due_at is None or notice.due_at > now:
            continue
        reason = _not_needed(incident, notice)
        if reason is not None:
            notice.status, notice.reason = "skipped", reason
            incident.record(now, "orchestrator", "notice", f"Not sent: {notice.step} ({reason})", {"step": notice.step})
            continue
        incident.state.notices_sent += 1
        notice.status, notice.sequence = "sending", incident.state.notices_sent
        incident.effects.append(SendNotice(step=notice.step, sequence=notice.sequence))


def _not_needed(incident: Incident, notice: NoticeRecord) -> str | None:
    """Why a notice is not sent; None when it is."""
    if not incident.live:
        return "dry run"
    step = incident.declaration.runbook.step(notice.step)
    if isinstance(step, NoticeStep):
        suspect = {seen.step for seen in incident.state.findings if seen.finding.status == "suspect"}
        found = [name for name in step.unless if name in suspect]
        if found:
            return f"the cause is ours: {', '.join(found)}"
    return None


def restart_update_clock(incident: Incident, now: datetime) -> None:
    """Count the next stakeholder update from `now`; a severity without updates has no such clock."""
    period = incident.policy.update
    if period is not None:
        incident.state.clocks["update"] = Clock(due_at=now + period)


def paging_from(incident: Incident, now: datetime, reason: str) -> None:
    """Count paging from `now`: everybody paged before and the levels reached stay, the first wave is due at once."""
    paging = incident.state.paging
    paging.base, paging.next_at, paging.reason = now, now, reason


def extend(due_at: datetime, now: datetime, respond: timedelta) -> datetime:
    """The acknowledgement deadline after a rise in severity: the old one stands if it is nearer."""
    return min(due_at, now + respond)
