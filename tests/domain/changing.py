"""Changes to test with: a plan of any class, an organisation with any people, and a change that has its plan."""

from typing import Any, NamedTuple

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.organisation import Organisation
from domain.model.activity_io import Planned
from domain.model.change_events import ApprovalAsked, ChangeMoved
from domain.model.commands import Approve, Command
from domain.model.plan import Plan
from domain.model.records import ChangeRecord
from domain.rules.change import LiveChange
from domain.rules.change_messages import ChangeRequest
from domain.values.ids import change_workflow_id
from tests.activities.scopes import scope
from tests.builders import T0, minutes, organisation
from tests.house import about

ARN = "arn:aws:ecs:ap-southeast-2:123456789012:service/axis/backend"


def plan(approval_class: str = "A2", **changes: Any) -> Plan:
    """A sealed plan from one revision to another; `changes` replace its fields."""
    fields: dict[str, Any] = {
        "action": "test.rollback",
        "target": ARN,
        "summary": "revision 8 to 7",
        "before": {"revision": 8},
        "after": {"revision": 7},
        "impact": "the whole backend",
        "approval_class": ApprovalClass(approval_class),
        "locks": (ARN,),
    }
    return Plan(**{**fields, **changes}).sealed()


def people(**roles: list[str]) -> Organisation:
    """The organisation of the builders with further people, by id and roles."""
    plain = organisation()
    more = [
        {"id": name.replace("_", "-"), "roles": held, "channels": [{"kind": "sms", "address": "+61491570009"}]}
        for name, held in roles.items()
    ]
    content = plain.model_dump(mode="json")
    return Organisation.model_validate({**content, "contacts": [*content["contacts"], *more]})


def change(
    requested_by: str = "development-lead",
    commander: str | None = "devops-lead",
    rule: ApprovalRule | None = None,
    organisation: Organisation = organisation(),  # noqa: B008 - frozen
    mode: str = "live",
) -> LiveChange:
    """A change that was just requested; approvals have windows of ten minutes."""
    record = ChangeRecord(
        step="rollback",
        generation=1,
        workflow_id=change_workflow_id(scope().incident, "rollback", 1),
        action="test.rollback",
        title="Roll back",
        requested_by=requested_by,
        requested_at=T0,
    )
    return LiveChange(
        ChangeRequest(
            about=about(scope(mode=mode)),
            organisation=organisation,
            record=record,
            rule=rule,
            approve_within=minutes(10),
            commander=commander,
        )
    )


def waiting(approval_class: str = "A2", **changes: Any) -> LiveChange:
    """A change whose plan is there since T0 and waits for votes; what it had to tell is told."""
    made = change(**changes)
    made.planned(Planned(plan=plan(approval_class)), T0)
    made.news()
    return made


class Heard(NamedTuple):
    """What an incident hears of its change: what happened, who is paged and why, whether AWS denied something."""

    kinds: list[str]
    actors: list[str]
    texts: list[str]
    data: list[dict[str, Any]]
    page: list[str]
    page_reason: str
    denied: bool


def heard(made: LiveChange) -> Heard:
    """Everything that has happened to a change since the last call."""
    news = made.news()
    happened = [] if news is None else news.events
    asked = [one.event for one in happened if isinstance(one.event, ApprovalAsked)]
    return Heard(
        kinds=[one.event.kind for one in happened if not isinstance(one.event, ApprovalAsked)],
        actors=[one.actor for one in happened if not isinstance(one.event, ApprovalAsked)],
        texts=[one.event.sentence(one.actor) for one in happened],
        data=[one.event.data() for one in happened],
        page=asked[-1].voters if asked else [],
        page_reason=asked[-1].reason if asked else "",
        denied=any(isinstance(one.event, ChangeMoved) and one.event.denied for one in happened),
    )


def say(made: LiveChange, name: str, command: Command, minute: float = 1) -> str | None:
    return made.hear(name, command, T0 + minutes(minute))


def approve(made: LiveChange, by: str, minute: float = 1, digest: str | None = None) -> str | None:
    """Approve the plan that stands, or a digest."""
    known = made.record.plan.digest if made.record.plan else plan().digest
    return say(made, "approve", Approve(by=by, digest=known if digest is None else digest), minute)
