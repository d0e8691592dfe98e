"""Which IAM role a worker acts under: the action's own, its queue's, or none but the worker's."""

from typing import Any

import boto3
import pytest
from moto import mock_aws

from activities.aws.shared.bearers import acting_for, only_reading
from activities.aws.shared.clients import own_session
from activities.permissions.reading import reading_policy
from worker.errors import SettingsError
from worker.run import _clients_for
from worker.settings import Settings

_ARN = "arn:aws:iam::123456789012:role/"


@pytest.fixture
def _aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_REGION": "eu-west-1",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("_aws")
@mock_aws
def test_an_action_acts_under_its_own_role_else_under_its_queues(monkeypatch: pytest.MonkeyPatch) -> None:
    """The narrowest role that is configured is taken, and roles that are the same share their clients."""
    given = f'{{"remediate": "{_ARN}changes", "remediate-ecs": "{_ARN}services"}}'
    monkeypatch.setenv("INCIDENT_ROLE_ARNS", given)
    clients = _clients_for(Settings(environment="sandbox"))
    arns = {
        role: clients(role).client("sts").get_caller_identity()["Arn"].rpartition(":assumed-role/")[2]
        for role in ("remediate-ecs", "remediate-network", "remediate")
    }
    assert arns == {
        "remediate-ecs": "services/incident-remediate-ecs",
        "remediate-network": "changes/incident-remediate",
        "remediate": "changes/incident-remediate",
    }
    assert clients("remediate-network") is clients("remediate")
    assert clients("diagnose") is clients("notify")


@pytest.mark.usefixtures("_aws")
@mock_aws
def test_a_dry_run_acts_under_what_the_role_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of whichever role is taken: its session has the policy that leaves it what it reads, and no other session has."""
    monkeypatch.setenv("INCIDENT_ROLE_ARNS", f'{{"remediate": "{_ARN}changes", "remediate-ecs": "{_ARN}services"}}')
    asked: list[dict[str, Any]] = []

    def watched(region: str | None) -> boto3.Session:
        made = own_session(region)
        made.events.register("provide-client-params.sts.AssumeRole", lambda params, **_: asked.append(dict(params)))
        return made

    monkeypatch.setattr("worker.run.own_session", watched)
    clients = _clients_for(Settings(environment="sandbox"))
    for role in ("remediate-ecs", "remediate-network"):
        with only_reading("inc-20261123-7f3k,dry-run"):
            clients(role).client("sts").get_caller_identity()
        with acting_for("inc-20261123-7f3k", "rollback", "devops-lead", ("cto",)):
            clients(role).client("sts").get_caller_identity()
    assert [(one["RoleArn"], one.get("Policy"), one.get("SourceIdentity")) for one in asked] == [
        (f"{_ARN}services", reading_policy("remediate-ecs"), None),
        (f"{_ARN}services", None, "cto"),
        (f"{_ARN}changes", reading_policy("remediate"), None),
        (f"{_ARN}changes", None, "cto"),
    ]


def test_without_a_region_nothing_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that knows no region says so, and by which variable."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SettingsError, match="AWS_REGION"):
        _clients_for(Settings(environment="sandbox"))("diagnose")


def test_a_role_that_does_not_exist_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt role would leave its actions to the worker's own rights."""
    monkeypatch.setenv("INCIDENT_ROLE_ARNS", f'{{"remediate-esc": "{_ARN}services"}}')
    with pytest.raises(ValueError, match="no role: there are"):
        Settings(environment="sandbox")
