"""Disable accounts, so that whoever took them over is locked out."""

from typing import Any

from activities.action import ChangeAction
from activities.aws.identity.cognito_accounts import (
    AccountsParams,
    changing,
    class_for,
    known,
    looked,
    pool_arn,
    states,
)
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State, Verification

_ENABLED, _DISABLED = "enabled", "disabled"


class DisableUsers(ChangeAction[AccountsParams]):
    """Deactivates accounts of a user pool; their access tokens are revoked with it.

    The state is `enabled` or `disabled` for each account's sub. An undo enables those that this disabled
    (`cognito-idp:AdminDisableUser`, `cognito-idp:AdminEnableUser`).
    """

    name = "cognito.disable_users"
    classes = (ApprovalClass.A2, ApprovalClass.A3)

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RefusedError` for one that does not exist. More than 50 are class A3."""
        cognito = self.clients.client("cognito-idp")
        pool = scope.environment.user_pools[params.user_pool]
        found = known(cognito, pool, params.users)
        before = {user: _state(user, one) for user, one in found.items()}
        after = dict.fromkeys(before, _DISABLED)
        count = len(changing(before, after))
        arn = pool_arn(cognito, pool)
        return Plan(
            action=self.name,
            target=arn,
            summary=f"Disable {count} of {len(before)} accounts of {params.user_pool}",
            before=before,
            after=after,
            impact=(
                f"{count} people cannot sign in to the portal until this is undone, clinical users among them if they "
                "are named; access tokens are revoked. Tokens that an application checks by itself are good until they "
                "expire: sign the accounts out too. A disabled account's password cannot be reset."
            ),
            approval_class=class_for(params.users),
            locks=(arn,),
            context={"pool": pool},
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read whether each account is enabled (`cognito-idp:AdminGetUser`)."""
        return states(self.clients.client("cognito-idp"), plan.context["pool"], plan.before, _state)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Disable, or enable again, the accounts that are not yet as planned."""
        cognito, now = self.clients.client("cognito-idp"), self.read(scope, plan)
        for user in changing(plan.before, plan.after):
            if now[user] != plan.after[user]:
                disable = plan.after[user] == _DISABLED
                call = cognito.admin_disable_user if disable else cognito.admin_enable_user
                call(UserPoolId=plan.context["pool"], Username=user)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether every account is as planned."""
        return looked(self.read(scope, plan), plan, "as planned")


def _state(_user: str, found: dict[str, Any]) -> str:
    return _ENABLED if found["Enabled"] else _DISABLED
