"""For whom AWS is asked: what STS is told when a change is carried out, and that a dry run cannot write."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from activities.action import RuleError
from activities.aws.shared.bearers import Bearer, acting_for, in_mode, only_reading
from activities.aws.shared.clients import AwsClients, assumed_session, own_session
from domain.model.activity_io import Mode
from tests.activities.scopes import REGION, scope

ROLE = "arn:aws:iam::123456789012:role/ir-remediate"
INCIDENT, STEP = "inc-20261123-7f3k", "rollback"
Asked = dict[str, Any]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Asked]]:
    """What STS was asked, in order, by sessions of one worker with a role to assume; moto answers."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    with mock_aws():
        yield []


def a_worker(told: list[Asked], policy: str = "{}") -> AwsClients:
    def base() -> boto3.Session:
        made = own_session(REGION)
        made.events.register("provide-client-params.sts.AssumeRole", lambda params, **_: told.append(dict(params)))
        return made

    def borne(one: Bearer) -> boto3.Session:
        asked = one.asked | ({"Policy": policy} if one.reads else {})
        return assumed_session(base(), ROLE, one.name, REGION, asked)

    return AwsClients(borne(Bearer("incident-remediate")), REGION, borne)


def who(clients: AwsClients) -> str:
    return str(clients.client("sts").get_caller_identity()["Arn"].rpartition("/")[2])


def tags(asked: Asked) -> dict[str, str]:
    return {one["Key"]: one["Value"] for one in asked.get("Tags", ())}


def test_an_approved_change_names_its_people(told: list[Asked]) -> None:
    """Name, source identity and tags say which change it is and who is behind it; outside of it nobody is named."""
    clients = a_worker(told)
    with acting_for(INCIDENT, STEP, "development-lead", ("cto", "devops-lead")):
        assert who(clients) == f"{INCIDENT},cto,devops-lead"
        assert clients.client("rds") is clients.client("rds")
    assert who(clients) == "incident-remediate"
    change, own = told
    assert change["SourceIdentity"] == "cto"
    assert tags(change) == {
        "incident": INCIDENT,
        "step": STEP,
        "requested-by": "development-lead",
        "approved-by": "cto devops-lead",
    }
    assert (own.get("SourceIdentity"), tags(own)) == (None, {})


@pytest.mark.parametrize(
    ("requested_by", "approvers", "identity", "said"),
    [
        ("devops-lead", (), "devops-lead", {"requested-by": "devops-lead"}),
        ("orchestrator", (), "orchestrator", {"requested-by": "orchestrator"}),
        (None, (), "orchestrator", {"requested-by": "orchestrator"}),
    ],
    ids=["one that needs no vote", "evidence", "nobody is known"],
)
def test_without_a_vote_it_is_who_asked(
    told: list[Asked], requested_by: str | None, approvers: tuple[str, ...], identity: str, said: dict[str, str]
) -> None:
    with acting_for(INCIDENT, STEP, requested_by, approvers):
        who(a_worker(told))
    [asked] = told
    assert asked["SourceIdentity"] == identity
    assert tags(asked) == {"incident": INCIDENT, "step": STEP} | said


@pytest.mark.parametrize(
    ("approver", "identity"),
    [
        ("Zoë O'Neil", "Zo--O-Neil"),
        ("x", "x-"),
        ("long-" * 20, ("long-" * 20)[:64]),
        ("on call/night", "on-call-night"),
    ],
)
def test_who_it_is_is_said_as_sts_takes_it(told: list[Asked], approver: str, identity: str) -> None:
    """Contacts are called as people write them, and a role must be assumed for a change that they approved.

    STS takes 2 to 64 characters of few kinds for a source identity, 64 for a name and 256 for a tag's value.
    """
    many = tuple(f"{approver}{number}" for number in range(60))
    with acting_for(INCIDENT, STEP, approver, (approver, *many)):
        who(a_worker(told))
    [asked] = told
    assert asked["SourceIdentity"] == identity
    assert len(asked["RoleSessionName"]) == 64
    assert all(0 < len(value) <= 256 for value in tags(asked).values())
    assert "," not in tags(asked)["approved-by"]


def test_each_who_has_a_session_of_their_own(told: list[Asked]) -> None:
    """What is kept for one is never used for another, though incident and approvers are the same; on another worker,
    and once it is not kept any more, STS is asked the very same again.
    """
    clients = a_worker(told)
    changes = [
        (INCIDENT, STEP, "development-lead", ("cto",)),
        (INCIDENT, "scale", "development-lead", ("cto",)),
        (INCIDENT, STEP, "security-lead", ("cto",)),
    ]
    for _ in range(2):
        for change in changes:
            with acting_for(*change):
                who(clients)
    assert len({json.dumps(asked, sort_keys=True) for asked in told}) == len(told) == len(changes)
    first = told.copy()
    with acting_for(*changes[0]):
        who(a_worker(told))
    assert told[-1] == first[0]


WRITES: dict[str, Callable[[Any], Any]] = {
    "ecs:UpdateService": lambda of: of("ecs").update_service(service="backend", desiredCount=0),
    "dynamodb:PutItem": lambda of: of("dynamodb").put_item(TableName="t", Item={"pk": {"S": "x"}}),
    "s3:PutObject": lambda of: of("s3").put_object(Bucket="b", Key="k", Body=b""),
    "lambda:Invoke": lambda of: of("lambda").invoke(FunctionName="f"),
    "rds:RebootDBInstance": lambda of: of("rds").reboot_db_instance(DBInstanceIdentifier="db"),
}


@pytest.mark.parametrize("name", WRITES)
@pytest.mark.parametrize("assumes", [True, False], ids=["a role", "as in a sandbox"])
@pytest.mark.parametrize("once", [True, False], ids=["once", "client"])
def test_a_dry_run_cannot_write(told: list[Asked], name: str, assumes: bool, once: bool) -> None:
    """The client refuses it before anything is sent, with a role to assume and with the worker's own credentials."""
    sent: list[str] = []
    clients = a_worker(told) if assumes else AwsClients(own_session(REGION), REGION)
    of = clients.once if once else clients.client

    def watched(service: str) -> Any:
        client = of(service)
        client.meta.events.register("before-send", lambda request, **_: sent.append(request.url))
        return client

    with in_mode(scope(mode="dry-run")), pytest.raises(RuleError, match=f"{name} writes, and a dry run only reads"):
        WRITES[name](watched)
    assert sent == []
    with pytest.raises(Exception, match=r".") as outside:
        WRITES[name](watched)
    assert not isinstance(outside.value, RuleError)
    assert sent


def test_a_dry_run_reads_under_what_its_role_reads(told: list[Asked]) -> None:
    """Its session is given the policy of reading beside the role's own, and no other session is."""
    clients = a_worker(told, policy='{"reads": true}')
    with in_mode(scope(mode="dry-run", incident=INCIDENT)):
        assert who(clients) == f"{INCIDENT},dry-run"
        assert clients.client("rds").describe_db_instances()["DBInstances"] == []
    with acting_for(INCIDENT, STEP, "devops-lead", ()):
        who(clients)
    who(clients)
    assert [asked.get("Policy") for asked in told] == ['{"reads": true}', None, None]


@pytest.mark.parametrize("mode", ["live", "drill", "upkeep"])
def test_only_a_dry_run_is_held_to_reading(told: list[Asked], mode: Mode) -> None:
    with in_mode(scope(mode=mode)):
        assert who(a_worker(told)) == "incident-remediate"
    with in_mode(None):
        assert who(a_worker(told)) == "incident-remediate"


def test_within_reading_nobody_can_write_for_a_change(told: list[Asked]) -> None:
    """Whoever acts for somebody within it stays bound, and is free of it afterwards."""
    clients = a_worker(told)
    with only_reading("looking"), acting_for(INCIDENT, STEP, "devops-lead", ("cto",)), pytest.raises(RuleError):
        clients.client("s3").delete_bucket(Bucket="b")
    assert who(clients) == "incident-remediate"
