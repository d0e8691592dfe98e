"""End every session of accounts, wherever they are signed in."""

from typing import Any

from activities.action import iam
from activities.aws.identity.account_marks import MarkedAccount, MarkedChange
from activities.aws.identity.cognito_accounts import AccountsParams
from domain.model.calls import Scope
from domain.model.plan import Plan

_NEWER = "newer than "


class _Sessions(MarkedAccount):
    what = "signed-out"

    def value(self, found: dict[str, Any]) -> str:
        count = self.count()
        return _NEWER + _state(self.planned) if count > self.planned else _state(count)

    def set(self, value: Any) -> None:
        self.cognito.admin_user_global_sign_out(**self.where)
        self.mark()


class SignOutUsers(MarkedChange):
    """Invalidates the tokens of accounts of a user pool; it cannot be taken back, and need not be.

    Cognito does not tell when an account was signed out last, so each time is counted in the ledger's table. The state
    is `sign-out <n>` for each account's sub, and `newer than sign-out <n>` once a later one is on record. What was sent
    but not yet counted is sent again: that ends no session that was to stay.
    """

    name = "cognito.sign_out_users"
    permissions = iam("cognito-idp:AdminGetUser AdminUserGlobalSignOut DescribeUserPool")
    marked = _Sessions
    irreversible = "sessions that ended do not come back"

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the last sign-outs; raises `RuleError` for an account that does not exist. Above 50, class A3."""
        context = self.counted(scope, scope.environment.user_pools[params.user_pool], params.users)
        self.described(scope, context, params.users)
        before = {user: _state(count) for user, count in context["counts"].items()}
        return self.planned(
            before,
            {user: _NEWER + state for user, state in before.items()},
            context,
            summary=f"Sign {len(before)} accounts of {params.user_pool} out everywhere",
            impact=(
                f"{len(before)} people must sign in again; work that they have not saved is lost. It cannot be undone: "
                "sessions that ended do not come back. An access token that an application checks by itself is good "
                "until it expires, and so is the cookie of the hosted sign-in page: whoever knows the password "
                "signs in again, so disable the account or reset its password too."
            ),
        )


def _state(count: int) -> str:
    return f"sign-out {count}"
