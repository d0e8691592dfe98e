"""Whom to page and to remind, and when. A page is asked for here; its delivery is an event of its own."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

from domain.config.organisation import COMMANDER, Contact, Organisation
from domain.model.event_kinds import Happening
from domain.model.events import PageAsked, PagingRound, Recipient, Reminded
from domain.model.state import IncidentState
from domain.rules.clock_runs import next_round
from domain.values.severity import Severity
from domain.values.status import Status
from domain.values.timestamps import stamp


def deadline(what: str, at: datetime) -> dict[str, Any]:
    """A deadline as the cause of an event."""
    return {"deadline": what, "due_at": stamp(at)}


def page(
    state: IncidentState, contact: Contact, role: str, reason: str, about: str | None = None
) -> Iterator[Happening]:
    """Page one contact; nobody in a dry run, for upkeep, or for a drill that is over."""
    if state.live and not state.upkeep and not (state.drill and state.ended):
        number, level = len(state.pages) + 1, state.level_of(role)
        yield Happening(PageAsked(number=number, to=contact.id, role=role, level=level, reason=reason, about=about))


def page_roles(state: IncidentState, roles: Iterable[str], reason: str) -> Iterator[Happening]:
    """Page every holder of these roles, each person once."""
    paged = set()
    for role in dict.fromkeys(roles):
        for contact in state.holders(role):
            if contact.id not in paged:
                paged.add(contact.id)
                yield from page(state, contact, role, reason)


def page_commander(state: IncidentState, reason: str) -> Iterator[Happening]:
    """Page whoever commands; everybody who was paged so far while nobody does, or they are silent."""
    paged = state.paging.paged or state.declaration.runbook.on_call
    commands = state.commander is not None and not state.lapsed
    yield from page_roles(state, [COMMANDER] if commands else paged, reason)


def _ahead(state: IncidentState) -> Iterator[tuple[datetime, str]]:
    """The levels of the chain that are not reached yet, each with when it is engaged, up to one that never is.

    Unacknowledged, the earlier of the two clocks counts.
    """
    declared = state.status is Status.DECLARED
    for role, level in list(zip(state.chain, state.policy.levels, strict=False))[state.paging.level :]:
        times = (level.unmitigated, level.unacknowledged if declared else None)
        earliest = min((time for time in times if time is not None), default=None)
        if earliest is None:
            return
        yield state.paging.base + earliest, role


def upcoming(state: IncidentState) -> list[tuple[datetime, str]]:
    """When somebody is paged, if nobody does anything, and who."""
    dues: list[tuple[datetime, str]] = []
    if not (state.live and state.responding) or state.upkeep:
        return dues
    if state.status is Status.DECLARED and state.paging.next_at is not None:
        dues.append((state.paging.next_at, "page again" if state.paging.paged else "page"))
    return dues + [(at, f"page {role}") for at, role in _ahead(state)][:1]


def page_what_is_due(state: IncidentState, now: datetime) -> Iterator[Happening]:
    """Page the levels that are reached now and, while nobody has acknowledged, everybody paged before.

    However late it is, there is one round: what was missed meanwhile is not paged again and again.
    """
    due = min(upcoming(state), default=None)
    if due is None or due[0] > now:
        return
    paging, chain = state.paging, state.chain
    declared = state.status is Status.DECLARED
    elapsed = max((now - paging.base) // state.policy.repage, 0)
    roles: list[str] = []
    next_at, level = paging.next_at, paging.level
    if declared and next_at is not None and next_at <= now:
        next_at = next_round(state, now)
        roles += [*_leads(state, elapsed), *paging.paged]
    for at, role in _ahead(state):
        if at > now:
            break
        level += 1
        if role not in paging.paged or not declared:
            roles.append(role)
    roles = list(dict.fromkeys(roles))
    while level < len(chain) and chain[level] in {*paging.paged, *roles}:
        level += 1  # paged at once, whatever the clocks say: that level is reached
    unheard = f"no sign of life of {state.commander}" if state.lapsed else "not acknowledged"
    reason = (unheard if elapsed else paging.reason) if declared else "not mitigated"
    yield Happening(
        PagingRound(roles=roles, level=level, next_at=next_at, reason=reason), cause=deadline(due[1], due[0])
    )
    yield from page_roles(state, roles, reason)


def _leads(state: IncidentState, elapsed: int) -> list[str]:
    """The leads on call that are engaged after so many re-page intervals, and who is paged at once."""
    runbook = state.declaration.runbook
    count = len(runbook.on_call) if state.policy.page_all_leads else elapsed + 1
    with_phi = runbook.page_at_once_with_phi if state.declaration.phi else ()
    return [*runbook.on_call[:count], *runbook.page_at_once, *with_phi]


def unanswered(organisation: Organisation, severity: Severity, within: timedelta) -> dict[timedelta, list[Contact]]:
    """Whom each round of an incident pages that nobody acknowledges, by when it is, up to `within` and then too.

    By those on call where a runbook names nobody, and by everybody whom a runbook may name where nobody is; whom a
    runbook pages at once comes on top.
    """
    policy = organisation.severities[severity]
    leads = organisation.on_call or sorted(organisation.held() - {*organisation.chain})
    levels = ((level.unacknowledged, level.unmitigated) for level in policy.levels)
    reached = [min((time for time in both if time is not None), default=within * 2) for both in levels]
    ahead = list(zip(reached, organisation.chain, strict=False))
    ticks = {number * policy.repage for number in range(within // policy.repage + 1)}
    rounds: dict[timedelta, list[Contact]] = {}
    for at in sorted(ticks | {time for time in reached if time <= within}):
        engaged = len(leads) if policy.page_all_leads else at // policy.repage + 1
        roles = [*leads[:engaged], *(role for time, role in ahead if time <= at)]
        if at not in ticks:
            roles = [role for time, role in ahead if time == at]
        rounds[at] = list({one.id: one for role in roles for one in organisation.holders(role)}.values())
    return rounds


def remind(
    state: IncidentState,
    step: str,
    roles: Iterable[str],
    subject: str,
    due: datetime,
    nth: int | None = None,
) -> Happening:
    """Mail every holder of the roles once; a reminder is no page. A dry run mails nobody and says whom it would."""
    people: dict[str, str] = {}
    for role in roles:
        for contact in state.holders(role):
            people.setdefault(contact.id, role)
    first = state.mails_asked + 1
    to = [
        Recipient(to=contact, role=role, mail=first + number if state.live else None)
        for number, (contact, role) in enumerate(people.items())
    ]
    return Happening(Reminded(step=step, subject=subject, to=to, nth=nth), cause=deadline(f"remind of {step}", due))
