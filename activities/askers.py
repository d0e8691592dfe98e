"""Whose a request is: an activity does for a workflow what is that workflow's own, by the id that Temporal gives it.

Whoever reaches Temporal can begin a workflow of ours with what he likes, and ours seals what it asks then. Its id says
what it may ask for: an incident is carried on by the workflow of its name, a change by that of its own.
"""

from typing import Any

from activities.strange_requests import Strange, StrangeRequestError
from domain.model.activity_io import (
    AppendCall,
    ChangeAsked,
    FollowCall,
    NoticeRequest,
    ObserveRequest,
    PageRequest,
    PlanRequest,
    ReleaseRequest,
    ReportCall,
    Stranger,
    VerifyRequest,
    WaveRequest,
)
from domain.model.drill import FaultCall
from domain.model.proofs import ClaimAsked
from domain.model.restoring import RestorableCall, RestoreCall
from domain.values.ids import change_workflow_id, drill_workflow_id, follow_up_workflow_id


def refuse_others(asked: Any, asking: str) -> None:
    """Raise `StrangeRequestError` unless the workflow `asking` is one whose request this is."""
    for one in _all_of(asked):
        whose = whose_is(one)
        if whose and asking not in whose:
            raise StrangeRequestError(f"{asking} asks for what {' or '.join(whose)} does alone", Strange.OTHERS)


def _all_of(asked: Any) -> list[Any]:
    """A request and what it holds of others."""
    match asked:
        case WaveRequest():
            return list(asked.pages)
        case ReportCall(last=AppendCall()):
            return [asked, asked.last]
    return [asked]


def whose_is(asked: Any) -> tuple[str, ...]:
    """The workflows that may ask for something; none where any may. Raises `TypeError` for a request without a rule."""
    match asked:
        case PlanRequest() | VerifyRequest() | ReleaseRequest():
            return (change_workflow_id(asked.about.incident, asked.step, asked.generation),)
        case ChangeAsked() | NoticeRequest() | ObserveRequest():
            return (asked.about.incident,)
        case AppendCall() | ReportCall():
            return (asked.incident,)
        case PageRequest():
            return (asked.about.incident, follow_up_workflow_id(asked.about.incident))
        case FollowCall():
            return (follow_up_workflow_id(asked.incident),)
        case RestoreCall():
            return (asked.incident, follow_up_workflow_id(asked.incident))
        case ClaimAsked():
            if asked.incident is None:
                return (drill_workflow_id(asked.environment),)
            own = (asked.incident, follow_up_workflow_id(asked.incident))
            if asked.step is None or asked.generation is None:
                return own
            return (*own, change_workflow_id(asked.incident, asked.step, asked.generation))
        case FaultCall():
            return (drill_workflow_id(asked.environment),)
        case RestorableCall() | Stranger():  # it reads, or says something of its own
            return ()
    raise TypeError(f"nothing says whose {type(asked).__name__} is")
