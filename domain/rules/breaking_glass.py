"""Breaking the glass: somebody decides a change alone, as nobody answers who may, and everybody hears of it at once."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from domain.config.approval import ApprovalClass
from domain.config.organisation import Contact, Organisation
from domain.model.activity_io import Ballot
from domain.model.acts import REVIEW
from domain.model.change_events import VoteCast
from domain.model.event_kinds import Happening
from domain.model.plan import Plan
from domain.model.records import ChangeRecord, Task
from domain.model.state import IncidentState
from domain.model.work_events import TaskOpened
from domain.rules import paging

LONGEST = timedelta(minutes=60)
"""How long a claim to decide alone holds at most."""

IDENTITIES = ("cognito.", "iam.")
"""What the actions begin with that change who may do what: nobody does that alone."""


def refusal(organisation: Organisation, who: Contact, plan: Plan, *, evidence: bool) -> str | None:
    """Why nobody, or not they, may decide this plan alone; None where they may."""
    may = organisation.break_glass.roles
    if plan.approval_class is not ApprovalClass.A2:
        return f"the glass is broken for changes of class A2 alone; this one is {plan.approval_class}"
    if evidence or plan.action.startswith(IDENTITIES):
        return f"nobody decides {plan.action} alone: it touches {'evidence' if evidence else 'who may do what'}"
    if may and not set(may) & set(who.roles):
        return f"{who.id} may not break the glass; {' or '.join(may)} may"
    return None


def refused(organisation: Organisation, ballots: Sequence[Ballot], plan: Plan, *, evidence: bool) -> str | None:
    """Why one of these may not decide this plan alone, as they say they do; None where nobody does, or who does may."""
    alone = (organisation.contact(ballot.by) for ballot in ballots if ballot.break_glass is not None)
    reasons = (refusal(organisation, who, plan, evidence=evidence) for who in alone if who is not None)
    return next(filter(None, reasons), None)


def told(organisation: Organisation) -> tuple[str, ...]:
    """The roles that are paged at once: those that are named, else who signs runbooks and the last of the chain."""
    return organisation.break_glass.tells or tuple(
        dict.fromkeys([*organisation.runbook_approvers, organisation.chain[-1]])
    )


def broken(state: IncidentState, record: ChangeRecord, by: str, vote: VoteCast, at: datetime) -> Iterator[Happening]:
    """Page whoever has to hear of it at once, and ask for a review that is not theirs who did it.

    Where nobody else holds one of those roles, the chain and those on call hear of it too.
    """
    organisation, rules = state.declaration.organisation, state.declaration.organisation.break_glass
    heard = told(organisation)
    others = (*organisation.chain, *organisation.on_call)
    if not _others(state, heard, by):
        heard = (*heard, *others)
    reason = f"glass broken by {by}, who decides alone: {record.title}"
    yield from paging.page_roles(state, heard, reason)
    if state.upkeep:  # which pages nobody
        yield paging.remind(state, record.step, heard, reason, due=at)
    reviewers = [rules.reviewer] if rules.reviewer else []
    owner = next(iter(_others(state, (*reviewers, *heard, *others), by)), heard[0])
    opened = TaskOpened(
        step=f"{REVIEW}{record.step}:{record.generation}",
        because=vote.kind,
        title=f"Review of what {by} did alone: {record.title}",
        owner=owner,
        due=at + state.scaled(rules.review),
        review_of=by,
    )
    yield Happening(opened)


def _others(state: IncidentState, roles: Sequence[str], by: str) -> list[str]:
    """Those of these roles that somebody else holds."""
    return [role for role in roles if any(contact.id != by for contact in state.holders(role))]


def task(event: TaskOpened) -> Task:
    """The review as it is asked for: its owner is reminded when it is due, and daily from then on."""
    fields = event.model_dump(include={"step", "title", "owner", "review_of"})
    return Task(**fields, phase="review", required=True, due_at=event.due, remind_at=event.due)


def under_review(state: IncidentState) -> str | None:
    """Why an incident cannot be called a false alarm yet: what somebody did alone is still to be looked back at."""
    left = [task.step for task in state.open_tasks() if task.review_of is not None]
    return f"reviews are open (done or waive them): {', '.join(left)}" if left else None
