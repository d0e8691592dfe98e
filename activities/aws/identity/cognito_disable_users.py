"""Disable accounts, so that whoever took them over is locked out."""

from typing import Any

from activities.action import iam
from activities.aws.identity.cognito_accounts import AccountsParams, PoolChange, changing, known, states
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_ENABLED, _DISABLED = "enabled", "disabled"


class DisableUsers(PoolChange[AccountsParams]):
    """Deactivates accounts of a user pool; their access tokens are revoked with it.

    The state is `enabled` or `disabled` for each account's sub. An undo enables those that this disabled.
    """

    name = "cognito.disable_users"
    permissions = iam("cognito-idp:AdminDisableUser AdminEnableUser AdminGetUser DescribeUserPool")

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RuleError` for one that does not exist. More than 50 are class A3."""
        pool = scope.environment.user_pools[params.user_pool]
        found = known(self.cognito, pool, params.users)
        before = {user: _state(user, one) for user, one in found.items()}
        after = dict.fromkeys(before, _DISABLED)
        count = len(changing(before, after))
        return self.planned(
            pool,
            before,
            after,
            summary=f"Disable {count} of {len(before)} accounts of {params.user_pool}",
            impact=(
                f"{count} people cannot sign in until this is undone, clinical users among them if they are named; "
                "access tokens are revoked. Tokens that an application checks by itself are good until they expire: "
                "sign the accounts out too. A disabled account's password cannot be reset."
            ),
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether each account is enabled (`cognito-idp:AdminGetUser`)."""
        return states(self.cognito, plan.context["pool"], plan.before, _state)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Disable, or enable again, the accounts that are not yet as planned."""
        now = self.read(scope, plan)
        for user in changing(plan.before, plan.after):
            if now[user] != plan.after[user]:
                disable = plan.after[user] == _DISABLED
                call = self.cognito.admin_disable_user if disable else self.cognito.admin_enable_user
                call(UserPoolId=plan.context["pool"], Username=user)


def _state(_user: str, found: dict[str, Any]) -> str:
    return _ENABLED if found["Enabled"] else _DISABLED
