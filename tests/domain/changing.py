"""Changes to test with: a plan of any class, an organisation with any people, and a change that has its plan."""

from typing import Any

from domain.config.approval import ApprovalClass, ApprovalRule
from domain.config.organisation import Organisation
from domain.model.activity_io import Planned
from domain.model.commands import Approve, Command
from domain.model.plan import Plan
from domain.model.state import ChangeRecord
from domain.rules.change import Change, ChangeRequest
from domain.values.ids import change_workflow_id
from tests.activities.scopes import scope
from tests.builders import T0, minutes, organisation

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
) -> Change:
    """A change that was just requested; approvals have windows of ten minutes."""
    record = ChangeRecord(
        step="rollback",
        generation=1,
        workflow_id=change_workflow_id(scope().incident, "rollback", 1),
        action="test.rollback",
        requested_by=requested_by,
    )
    return Change(
        ChangeRequest(
            scope=scope(mode=mode),
            organisation=organisation,
            record=record,
            title="Roll back",
            rule=rule,
            approve_within=minutes(10),
            commander=commander,
        )
    )


def waiting(approval_class: str = "A2", **changes: Any) -> Change:
    """A change whose plan is there since T0 and waits for votes; what it had to tell is told."""
    made = change(**changes)
    made.planned(Planned(plan=plan(approval_class)), T0)
    made.told()
    return made


def say(made: Change, name: str, command: Command, minute: float = 1) -> str | None:
    return made.handle(name, command, T0 + minutes(minute))


def approve(made: Change, by: str, minute: float = 1, digest: str | None = None) -> str | None:
    """Approve the plan that stands, or a digest."""
    known = made.record.plan.digest if made.record.plan else plan().digest
    return say(made, "approve", Approve(by=by, digest=known if digest is None else digest), minute)
