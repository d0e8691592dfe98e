"""What each role may do is found in few questions to IAM's simulator, and is the same however it lets them be asked."""

import json
from typing import Any

import boto3

from activities.aws.shared.clients import AwsClients
from activities.permissions.roles import LEDGER, roles
from activities.permissions.statements import role_name
from activities.preflight.check import Verdict
from activities.preflight.roles import role
from domain.values.ids import DIAGNOSE_QUEUE, NOTIFY_QUEUE
from sandbox.runtime.aws_world import World
from tests.sandbox.preflight_rooms import room_of

FEW, MOST = 200, 8


class Asked(AwsClients):
    """Clients that note what the simulator is asked; a `strict` one refuses what it may have to know more about."""

    def __init__(self, region: str, *, strict: bool = False) -> None:
        super().__init__(boto3.Session("testing", "testing", region_name=region), region)
        self.questions: list[dict[str, Any]] = []
        self._strict = strict
        self.client("iam").meta.events.register("provide-client-params.iam.SimulatePrincipalPolicy", self._note)

    def _note(self, params: dict[str, Any], **_: Any) -> None:
        self.questions.append(params)
        services = {action.partition(":")[0] for action in params["ActionNames"]}
        if self._strict and (len(services) > 1 or len(params["ActionNames"]) > MOST):
            said = {"Error": {"Code": "InvalidInput", "Message": "they require different authorization information"}}
            raise self.client("iam").exceptions.InvalidInputException(said, "SimulatePrincipalPolicy")


def looked(world: World, clients: Asked, *names: str) -> list[Verdict]:
    return [role(room_of(world.environment, clients=clients), name) for name in names]


def test_a_whole_account_takes_few_questions(world: World) -> None:
    """IAM throttles them: statements are asked together, those with conditions and those without apart."""
    clients = Asked(world.environment.region)
    assert {seen.status for seen in looked(world, clients, *roles())} == {"ok"}
    assert len(roles()) < len(clients.questions) < FEW
    role_alone = min(len(one["ContextEntries"]) for one in clients.questions)
    assert any(len(one["ContextEntries"]) > role_alone for one in clients.questions)


def test_what_is_refused_together_is_asked_apart(world: World) -> None:
    """Too much, too little and elsewhere: each verdict is the same, in more questions."""
    iam, names = world.client("iam"), (DIAGNOSE_QUEUE, "remediate-ecs", NOTIFY_QUEUE, LEDGER)
    changes = [
        ('"ecs:DescribeServices"', '"ecs:*"'),
        ('"ecs:UpdateService"', '"ecs:UpdateServicePrimaryTaskSet"'),
        ("identity/incidents@axisimaging.com.au", "identity/*"),
    ]
    for name, (old, new) in zip(names, changes, strict=False):
        of = role_name(name, world.environment)
        text = json.dumps(iam.get_role_policy(RoleName=of, PolicyName=name)["PolicyDocument"])
        assert old in text
        iam.put_role_policy(RoleName=of, PolicyName=name, PolicyDocument=text.replace(old, new))
    free, strict = (Asked(world.environment.region, strict=one) for one in (False, True))
    found = looked(world, free, *names)
    assert [seen.status for seen in found] == ["wrong", "wrong", "wrong", "ok"]
    assert looked(world, strict, *names) == found
    assert len(strict.questions) > len(free.questions)
