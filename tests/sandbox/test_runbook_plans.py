"""What the shipped runbooks offer can be planned in the account that the sandbox seeds: no dead end is offered."""

from datetime import UTC, datetime

from activities.action import RuleError
from activities.catalogue import CHANGES
from activities.changes.runner import ChangeRunner
from domain.config.runbook import ChangeStep
from domain.model.calls import PlanCall, Scope
from domain.values.severity import Severity
from sandbox.runtime.aws_world import World
from starters.files.loading import load_runbook
from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation
from starters.files.shipped import shipped_folder
from tests.aws import aws_clients

WELL = {
    "database/promote-replica": "primary is available",
    "performance/scale-out": "CPU of backend is at",
    "security/restrict-network": "name rules, cidr or port",
}
"""What is refused while all is well, or for want of an answer, and why."""


def _offered() -> dict[str, ChangeStep]:
    """Every change that needs no answer from a person, by its runbook and step."""
    folder = shipped_folder()
    people, place = load_organisation(folder), load_environment(folder, "sandbox")
    return {
        f"{name}/{step.id}": step
        for name in list_runbooks(folder)
        for step in load_runbook(folder, name, people, place).steps()
        if isinstance(step, ChangeStep) and all(asked in step.params for asked in step.ask)
    }


def test_what_is_offered_can_be_planned(world: World) -> None:
    """But for what is meant for an account in which something is wrong; a plan changes nothing, so one account does."""
    clients = aws_clients(world.environment.region)
    runner, refused = ChangeRunner(clients), {}
    for offer, step in _offered().items():
        about = Scope(
            incident="inc-20261123-7f3k",
            type=offer.split("/")[0],
            title="Tried",
            severity=Severity.P0,
            mode="live",
            declared_at=datetime.now(UTC),
            environment=world.environment,
        )
        call = PlanCall(scope=about, step=step.id, generation=1, params=step.params)
        try:
            assert runner.plan(CHANGES[step.change](clients), call).plan.is_sealed()
        except RuleError as error:
            refused[offer] = str(error)
    assert refused.keys() == WELL.keys(), refused
    assert all(refused[offer].startswith(why) for offer, why in WELL.items()), refused
