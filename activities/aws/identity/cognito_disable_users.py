"""Disable accounts, so that whoever took them over is locked out."""

from typing import Any

from activities.action import iam
from activities.aws.identity.cognito_accounts import Account, AccountsParams, PoolChange, count_changing
from domain.model.calls import Scope
from domain.model.plan import Plan, State

_ENABLED, _DISABLED = "enabled", "disabled"


class _Access(Account):
    def value(self, found: dict[str, Any]) -> str:
        return _ENABLED if found["Enabled"] else _DISABLED

    def set(self, value: Any) -> None:
        call = self.cognito.admin_disable_user if value == _DISABLED else self.cognito.admin_enable_user
        call(**self.where)


class DisableUsers(PoolChange[AccountsParams]):
    """Deactivates accounts of a user pool; their access tokens are revoked with it.

    The state is `enabled` or `disabled` for each account's sub. An undo enables those that this disabled.
    """

    name = "cognito.disable_users"
    permissions = iam("cognito-idp:AdminDisableUser AdminEnableUser AdminGetUser DescribeUserPool")
    piece = _Access

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RuleError` for one that does not exist. More than 50 are class A3."""
        context: State = {"pool": scope.environment.user_pools[params.user_pool]}
        found = self.described(scope, context, params.users)
        before = {user: self.account(scope, context, user).value(one) for user, one in found.items()}
        after = dict.fromkeys(before, _DISABLED)
        count = count_changing(before, after)
        return self.planned(
            before,
            after,
            context,
            summary=f"Disable {count} of {len(before)} accounts of {params.user_pool}",
            impact=(
                f"{count} people cannot sign in until this is undone, clinical users among them if they are named; "
                "access tokens are revoked. Tokens that an application checks by itself are good until they expire: "
                "sign the accounts out too. A disabled account's password cannot be reset."
            ),
        )
