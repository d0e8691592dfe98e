"""Which IAM role a worker acts under: the action's own, its queue's, or none but the worker's."""

import pytest
from moto import mock_aws

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
