"""What turned bad while people took their time to approve is found before the first write of a change."""

from collections.abc import Callable
from typing import Any

import pytest
from moto import mock_aws
from moto.cognitoidp.models import cognitoidp_backends
from temporalio.exceptions import ApplicationError

from activities.action import ChangeAction
from activities.aws.identity.cognito_require_mfa import RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from activities.catalogue import CHANGES
from domain.values.errors import ErrorKind
from tests.activities.breach_worlds import Estate, isolated
from tests.activities.change_worlds import ChangeWorld
from tests.activities.database_worlds import PARAMETER, promote, resize
from tests.activities.fake_rds import PRIMARY, REPLICA, address
from tests.activities.renewal_worlds import instance, renew
from tests.activities.scopes import ACCOUNT, REGION, scope
from tests.activities.security_worlds import accounts
from tests.activities.trial import Trial
from tests.activities.upkeep_worlds import alarms

_Spoiled = tuple[ChangeWorld, Callable[[], Any]]


def _database(instance: str, **turned: Any) -> _Spoiled:
    world = promote()
    return world, lambda: world.clients.instead["rds"].instances[instance].update(turned)


def _parameter() -> _Spoiled:
    world = promote()
    ssm = world.clients.inner.client("ssm")
    asked = {"Name": PARAMETER, "Value": address(PRIMARY), "Overwrite": True, "AllowedPattern": f"^{PRIMARY}[.].*$"}
    return world, lambda: ssm.put_parameter(**asked)


def _upgrade_waits() -> _Spoiled:
    world = resize()
    waiting = {"EngineVersion": "17.2"}
    return world, lambda: world.clients.instead["rds"].primary.update(PendingModifiedValues=waiting)


def _pool(change: type[Any], **turned: Any) -> _Spoiled:
    world = accounts(change, lambda _pool: None)
    known = cognitoidp_backends[ACCOUNT][REGION].user_pools[world.scope.environment.user_pools["patients"]]
    return world, lambda: known.extended_config.update(turned)


def _alarm_goes() -> _Spoiled:
    world = alarms()
    return world, lambda: world.clients.inner.client("cloudwatch").delete_alarms(AlarmNames=["backend-idle"])


def _renewal(name: str, field: str, value: Any) -> _Spoiled:
    world = renew()
    return world, lambda: setattr(instance(name), field, value)


def _ours_comes_in(groups: Callable[[Estate, str], list[str]], **asked: Any) -> _Spoiled:
    world, _, estate = isolated()
    own = str(estate.client.create_security_group(GroupName="own", Description="o", VpcId=estate.vpc)["GroupId"])
    there = world.scope.environment
    shielded = there.model_dump() | {"protected": {"resources": [own]}}
    world.scope = scope(environment=type(there).model_validate(shielded))
    world.params |= asked
    subnet = estate.subnet
    return world, lambda: estate.client.create_network_interface(SubnetId=subnet, Groups=groups(estate, own))


_NO_TEXTS = {"SmsConfigurationFailure": "InvalidSmsRoleAccessPolicyException"}
_ADMINISTRATORS = {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}
_BY_MAIL = {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]}

CASES: dict[tuple[str, str], Callable[[], _Spoiled]] = {
    ("cloudwatch.disable_alarm_actions", "an alarm is gone"): _alarm_goes,
    ("cloudwatch.disable_alarm_actions", "the end is past"): lambda: (alarms(lasts="1m"), lambda: None),
    ("cognito.require_mfa", "no text message goes"): lambda: _pool(RequireMfa, **_NO_TEXTS),
    ("cognito.reset_passwords", "no text message goes"): lambda: _pool(ResetPasswords, **_NO_TEXTS),
    ("cognito.reset_passwords", "nobody recovers an account"): lambda: _pool(
        ResetPasswords, AccountRecoverySetting=_ADMINISTRATORS
    ),
    ("cognito.reset_passwords", "codes go another way"): lambda: _pool(ResetPasswords, AccountRecoverySetting=_BY_MAIL),
    ("rds.resize_instance", "an upgrade waits"): _upgrade_waits,
    ("rds.promote_replica", "the primary came back"): lambda: _database(PRIMARY, DBInstanceStatus="available"),
    ("rds.promote_replica", "the replica failed"): lambda: _database(REPLICA, DBInstanceStatus="failed"),
    ("rds.promote_replica", "the replica is full"): lambda: _database(REPLICA, DBInstanceStatus="storage-full"),
    ("rds.promote_replica", "the fence is open"): lambda: _database(
        PRIMARY, VpcSecurityGroups=[{"VpcSecurityGroupId": "sg-0other"}]
    ),
    ("rds.promote_replica", "the parameter takes no such address"): _parameter,
    ("rds.renew_replica", "somebody protected it"): lambda: _renewal(REPLICA, "deletion_protection", True),
    ("rds.renew_replica", "the primary keeps no backups"): lambda: _renewal(PRIMARY, "backup_retention_period", 0),
    ("network.isolate", "a task of ours in a subnet"): lambda: _ours_comes_in(lambda _, own: [own]),
    ("network.isolate", "a task of ours in a security group"): lambda: _ours_comes_in(
        lambda estate, own: [estate.backend, own], network_acl=None, security_groups=["backend"]
    ),
}


@pytest.mark.parametrize("case", CASES, ids=" ".join)
def test_it_is_found_before_the_first_write(case: tuple[str, str]) -> None:
    """It was well when people approved; when it is carried out it is refused, and nothing was done."""
    with mock_aws():
        world, spoil = CASES[case]()
        trial = Trial(world)
        spoil()
        with pytest.raises(ApplicationError) as refused:
            trial.apply()
        assert (refused.value.type, refused.value.non_retryable) == (ErrorKind.REFUSED.value, True)
        assert trial.effects == 0
        assert [one for one in world.clients.writes if not one.startswith("dynamodb.")] == []


def test_an_undo_gives_way_to_what_came_in() -> None:
    """Nothing is cut off by taking an isolation back, so nothing stands against it."""
    with mock_aws():
        world, comes_in = CASES["network.isolate", "a task of ours in a subnet"]()
        trial = Trial(world)
        trial.apply()
        comes_in()
        trial.undoing()
        trial.apply()
        assert trial.is_as_planned


def test_every_change_that_looks_again_has_a_case() -> None:
    """One that says that it looks again is seen to."""
    looking = {name for name, one in CHANGES.items() if one.refuse_late is not ChangeAction.refuse_late}
    assert looking == {name for name, _ in CASES}
