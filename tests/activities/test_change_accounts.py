from collections.abc import Iterator
from typing import Any, Literal
from uuid import uuid4

import pytest
from moto import mock_aws
from pydantic import ValidationError

from activities.action import ChangeAction, RuleError
from activities.aws.identity.cognito_accounts import AccountsParams
from activities.aws.identity.cognito_disable_users import DisableUsers
from activities.aws.identity.cognito_require_mfa import MfaParams, RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from activities.aws.identity.cognito_sign_out_users import SignOutUsers
from activities.changes.runner import ChangeRunner
from domain.config.approval import ApprovalClass
from domain.model.calls import ApplyCall, PlanCall, Scope, VerifyCall
from domain.model.plan import Plan
from tests.activities.scopes import NOW, environment, scope
from tests.activities.security_worlds import Pool
from tests.activities.world import LostError, WorldClients

EVERY = (DisableUsers, SignOutUsers, ResetPasswords, RequireMfa)


class Clinic:
    """A user pool, and changes carried out in it as a workflow would."""

    def __init__(self) -> None:
        self.clients = WorldClients()
        self.pool = Pool(self.clients, accounts=0)
        self.scope: Scope = scope(environment=environment(user_pools={"patients": self.pool.id}))
        self.runner = ChangeRunner(self.clients)
        self.generation = 0

    def account(self, **attributes: str) -> str:
        return self.pool.account(f"{uuid4()}@example.com", **attributes)

    def planned(self, change: type[ChangeAction[Any]], undo: Plan | None = None, **params: Any) -> ApplyCall:
        self.generation += 1
        given = {"user_pool": "patients", **params}
        call = PlanCall(scope=self.scope, step="s", generation=self.generation, params=given, undo=undo)
        plan = self.runner.plan(change(self.clients), call).plan
        number = str(self.generation)
        return ApplyCall(
            scope=self.scope,
            step="s",
            generation=self.generation,
            plan=plan,
            action_id=number,
            holder=f"h{number}",
            approvers=(),
        )

    def apply(self, change: type[ChangeAction[Any]], call: ApplyCall) -> str:
        return self.runner.apply(change(self.clients), call, NOW).outcome

    def verified(self, change: type[ChangeAction[Any]], call: ApplyCall) -> str:
        fields = ("scope", "step", "generation", "action_id", "holder", "plan")
        look = VerifyCall(**{name: getattr(call, name) for name in fields})
        return self.runner.verify(change(self.clients), look, NOW).message

    def carry_out(self, change: type[ChangeAction[Any]], **params: Any) -> Plan:
        call = self.planned(change, **params)
        assert self.apply(change, call) == "applied"
        self.verified(change, call)
        return call.plan


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    with mock_aws():
        yield Clinic()


@pytest.mark.parametrize("named", ["someone@example.com", "+61491570006", "jane.doe", "jane"])
def test_accounts_are_named_by_subs_alone(named: str) -> None:
    """A plan holds no name, mail address or number, and the refusal repeats none."""
    for params in (AccountsParams, MfaParams):
        with pytest.raises(ValidationError) as refused:
            params(user_pool="patients", users=(str(uuid4()), named))
        assert named not in str([error["msg"] for error in refused.value.errors()])


def test_a_list_may_be_written_with_commas() -> None:
    """As `--set users=` gives it, in any order and with one twice, it names each account once."""
    one, two = sorted(str(uuid4()) for _ in range(2))
    assert AccountsParams.model_validate({"user_pool": "p", "users": f"{two}, {one},{two}"}).users == (one, two)
    for empty in ("", [""], []):
        with pytest.raises(ValidationError):
            AccountsParams.model_validate({"user_pool": "p", "users": empty})


@pytest.mark.parametrize("change", EVERY)
def test_an_account_that_does_not_exist_is_named_before_anything_is_done(clinic: Clinic, change: Any) -> None:
    """One wrong sub among right ones: refused at the plan, not midway."""
    wrong = str(uuid4())
    with pytest.raises(RuleError, match=wrong):
        clinic.planned(change, users=[clinic.account(), wrong])
    assert clinic.clients.writes == []


@pytest.mark.parametrize("change", EVERY)
@pytest.mark.parametrize(("count", "grave"), [(50, ApprovalClass.A2), (51, ApprovalClass.A3)])
def test_more_than_fifty_accounts_take_two_approvers(
    clinic: Clinic, change: Any, count: int, grave: ApprovalClass
) -> None:
    """The class follows the number, by plan."""
    users = [clinic.account() for _ in range(count)]
    assert clinic.planned(change, users=users).plan.approval_class is grave


def test_only_what_was_disabled_by_us_is_enabled_again(clinic: Clinic) -> None:
    """An account that had been disabled before stays disabled when the change is undone."""
    before, ours = clinic.account(), clinic.account()
    clinic.pool.client.admin_disable_user(UserPoolId=clinic.pool.id, Username=before)
    done = clinic.carry_out(DisableUsers, users=[before, ours])
    back = clinic.planned(DisableUsers, undo=done)
    assert clinic.apply(DisableUsers, back) == "applied"
    assert [clinic.pool.get(user)["Enabled"] for user in (before, ours)] == [False, True]


def test_an_account_can_be_signed_out_again_later(clinic: Clinic) -> None:
    """Who signs in again can be signed out again, in the same incident: one call each time."""
    users = [clinic.account()]
    first, second = (clinic.carry_out(SignOutUsers, users=users) for _ in range(2))
    assert first.after != second.after
    assert clinic.clients.writes == ["cognito-idp.admin_user_global_sign_out"] * 2


@pytest.mark.parametrize("when", ["unsent", "unanswered"])
@pytest.mark.parametrize("lose", range(3))
def test_each_account_is_sent_one_code_whatever_is_lost(
    clinic: Clinic, lose: int, when: Literal["unsent", "unanswered"]
) -> None:
    """People who have chosen a new password between two attempts are not reset again."""
    users = sorted(clinic.account() for _ in range(3))
    call = clinic.planned(ResetPasswords, users=users)
    clinic.clients.lose, clinic.clients.when = lose, when
    with pytest.raises(LostError):
        clinic.apply(ResetPasswords, call)
    for user in users[:lose]:
        clinic.pool.client.admin_set_user_password(
            UserPoolId=clinic.pool.id, Username=user, Password="New-Secret-1", Permanent=True
        )
    assert clinic.apply(ResetPasswords, call) == "applied"
    resent = int(when == "unsent")
    assert clinic.clients.writes == ["cognito-idp.admin_reset_user_password"] * (3 + resent)
    assert clinic.verified(ResetPasswords, call) == "3 of 3 as planned"
    assert [clinic.pool.get(user)["UserStatus"] for user in users[:lose]] == ["CONFIRMED"] * lose


def test_accounts_that_cannot_be_reset_are_told_and_left_alone(clinic: Clinic) -> None:
    """Disabled, never confirmed, or not to be reached: named with the reason, and the others are reset."""
    fit, disabled, unreached = clinic.account(), clinic.account(), _unreached(clinic)
    clinic.pool.client.admin_disable_user(UserPoolId=clinic.pool.id, Username=disabled)
    plan = clinic.carry_out(ResetPasswords, users=[fit, disabled, unreached])
    assert f"{disabled} (disabled)" in plan.impact
    assert f"{unreached} (no verified mail" in plan.impact
    statuses = [clinic.pool.get(user)["UserStatus"] for user in (fit, disabled, unreached)]
    assert statuses == ["RESET_REQUIRED", "CONFIRMED", "CONFIRMED"]
    with pytest.raises(RuleError, match="none of 2"):
        clinic.planned(ResetPasswords, users=[disabled, unreached])


def _unreached(clinic: Clinic) -> str:
    return clinic.account(email_verified="false", phone_number_verified="false")


def test_who_has_no_second_factor_is_told_and_left_alone(clinic: Clinic) -> None:
    """An account without a verified telephone cannot be asked for a code, and does not stop the others."""
    fit, none = clinic.account(), clinic.account(phone_number_verified="false")
    plan = clinic.carry_out(RequireMfa, users=[fit, none])
    assert f"{none} (no factor set up and no verified telephone)" in plan.impact
    assert [clinic.pool.get(user)["UserMFASettingList"] for user in (fit, none)] == [["SMS_MFA"], []]
    with pytest.raises(RuleError, match="none of 1"):
        clinic.planned(RequireMfa, users=[none])


def test_the_whole_pool_is_asked_by_two_approvers_and_put_back_as_it_was(clinic: Clinic) -> None:
    """Pool-wide is class A3; text messages' configuration is written back whole, and the undo restores everything."""
    stood = clinic.pool.snapshot()
    call = clinic.planned(RequireMfa, pool_wide=True)
    assert call.plan.approval_class is ApprovalClass.A3
    assert clinic.apply(RequireMfa, call) == "applied"
    now = clinic.pool.client.get_user_pool_mfa_config(UserPoolId=clinic.pool.id)
    assert now["MfaConfiguration"] == "ON"
    assert now["SmsMfaConfiguration"] == stood[1]["SmsMfaConfiguration"]
    clinic.verified(RequireMfa, call)
    back = clinic.planned(RequireMfa, undo=call.plan)
    assert clinic.apply(RequireMfa, back) == "applied"
    assert clinic.pool.snapshot() == stood


@pytest.mark.parametrize("params", [{}, {"users": [str(uuid4())], "pool_wide": True}])
def test_either_accounts_or_the_pool(clinic: Clinic, params: dict[str, Any]) -> None:
    """Neither and both are refused: nobody asks the whole pool by mistake."""
    with pytest.raises(RuleError, match="pool_wide"):
        clinic.planned(RequireMfa, **params)


def test_a_pool_that_asks_nobody_is_refused(clinic: Clinic) -> None:
    """Where a second factor is off, turning it on for one account would have no effect."""
    clinic.pool.client.set_user_pool_mfa_config(UserPoolId=clinic.pool.id, MfaConfiguration="OFF")
    with pytest.raises(RuleError, match="optional first"):
        clinic.planned(RequireMfa, users=[clinic.account()])
