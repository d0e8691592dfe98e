"""Make people choose a new password, by a code that Cognito sends them, once."""

from typing import Any

from activities.action import RuleError, iam
from activities.aws.identity.account_marks import Marks
from activities.aws.identity.cognito_accounts import (
    AccountsParams,
    PoolChange,
    account,
    attributes,
    changing,
    known,
    states,
    with_reasons,
)
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_RESET, _FIT, _DISABLED = "RESET_REQUIRED", "CONFIRMED", "disabled"
_REACHED_AT = ("email_verified", "phone_number_verified")


class ResetPasswords(PoolChange[AccountsParams]):
    """Resets the passwords of accounts of a user pool; it cannot be taken back.

    Every call sends a code, so each account is called for once: the state is the account's status by its sub, and each
    reset is counted in the ledger's table too, since people who have chosen their new password already are `CONFIRMED`
    again. Accounts that cannot be reset are named in the impact and left alone.
    """

    name = "cognito.reset_passwords"
    permissions = iam("cognito-idp:AdminGetUser AdminResetUserPassword DescribeUserPool")

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RuleError` where one does not exist or none can be reset. Above 50, A3."""
        pool = scope.environment.user_pools[params.user_pool]
        found = known(self.cognito, pool, params.users)
        before = {user: _status(one) for user, one in found.items()}
        barred = {user: why for user, one in found.items() if (why := _barred(one))}
        if len(barred) == len(before):
            raise RuleError(f"none of {len(before)} accounts can be reset: {with_reasons(barred)}")
        after = {user: status if user in barred else _RESET for user, status in before.items()}
        count = len(changing(before, after))
        return self.planned(
            pool,
            before,
            after,
            summary=f"Reset the passwords of {count} of {len(before)} accounts of {params.user_pool}",
            impact=(
                f"{count} people get a code by mail or text message, and cannot sign in before they have chosen a new "
                "password with it. It cannot be undone: the old passwords are void and the codes are sent. Whoever "
                "reads a stolen mailbox gets its code: disable such an account first. Sessions that exist live on."
                + (f" {len(barred)} cannot be reset and stay as they are: {with_reasons(barred)}." if barred else "")
            ),
            reversible=False,
            counts=self._marks(scope, pool).counts(before),
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read each account's status, and whether we have reset it since the plan (`cognito-idp:AdminGetUser`)."""
        pool, counts = plan.context["pool"], plan.context["counts"]
        now = self._marks(scope, pool).counts(plan.before)
        return states(
            self.cognito,
            pool,
            plan.before,
            lambda user, one: _RESET if now[user] > counts[user] else _status(one),
        )

    def act(self, scope: Scope, plan: Plan) -> None:
        """Reset each account that has not been yet, and count it.

        One whose answer was lost is found by its status, and counted then.
        """
        cognito, pool = self.clients.once("cognito-idp"), plan.context["pool"]
        marks, now = self._marks(scope, pool), self.read(scope, plan)
        for user in changing(plan.before, plan.after):
            status = _status(account(cognito, pool, user) or {})
            if now[user] == plan.before[user] and status == _FIT:
                cognito.admin_reset_user_password(UserPoolId=pool, Username=user)
                status = _RESET
            if status == _RESET:
                marks.done(user, plan.context["counts"][user])

    def _marks(self, scope: Scope, pool: str) -> Marks:
        return Marks(self.clients, scope.environment.ledger_table, pool, "password-reset")


def _status(found: dict[str, Any]) -> str:
    status = str(found.get("UserStatus"))
    return status if status == _RESET or found.get("Enabled") else _DISABLED


def _barred(found: dict[str, Any]) -> str | None:
    """Why Cognito would refuse to reset an account; None when it would not, or need not."""
    status = _status(found)
    if status == _RESET:
        return None
    if status != _FIT:
        return status if status == _DISABLED else f"status {status}"
    reached = any(attributes(found).get(name) == "true" for name in _REACHED_AT)
    return None if reached else "no verified mail address or telephone number"
