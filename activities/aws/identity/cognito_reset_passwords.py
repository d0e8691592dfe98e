"""Make people choose a new password, by a code that Cognito sends them, once."""

from typing import Any

from activities.action import RuleError, iam
from activities.aws.identity.account_marks import MarkedAccount, MarkedChange
from activities.aws.identity.cognito_accounts import AccountsParams, attributes, count_changing, with_reasons
from domain.model.activity_io import Scope
from domain.model.plan import Plan

_RESET, _FIT, _DISABLED = "RESET_REQUIRED", "CONFIRMED", "disabled"
_REACHED_AT = ("email_verified", "phone_number_verified")


class _Password(MarkedAccount):
    what = "password-reset"

    def value(self, found: dict[str, Any]) -> str:
        return _RESET if self.count() > self.planned else _status(found)

    def set(self, value: Any) -> None:
        self.once.admin_reset_user_password(**self.where)
        self.mark()


class ResetPasswords(MarkedChange):
    """Resets the passwords of accounts of a user pool; it cannot be taken back.

    Every call sends a code, so each account is called for once: the state is the account's status by its sub, and each
    reset is counted in the ledger's table too, since people who have chosen their new password already are `CONFIRMED`
    again. Accounts that cannot be reset are named in the impact and left alone.
    """

    name = "cognito.reset_passwords"
    permissions = iam("cognito-idp:AdminGetUser AdminResetUserPassword DescribeUserPool")
    marked = _Password

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RuleError` where one does not exist or none can be reset. Above 50, A3."""
        context = self.counted(scope, scope.environment.user_pools[params.user_pool], params.users)
        found = self.described(scope, context, params.users)
        before = {user: _status(one) for user, one in found.items()}
        barred = {user: why for user, one in found.items() if (why := _barred(one))}
        if len(barred) == len(before):
            raise RuleError(f"none of {len(before)} accounts can be reset: {with_reasons(barred)}")
        after = {user: status if user in barred else _RESET for user, status in before.items()}
        count = count_changing(before, after)
        return self.planned(
            before,
            after,
            context,
            summary=f"Reset the passwords of {count} of {len(before)} accounts of {params.user_pool}",
            impact=(
                f"{count} people get a code by mail or text message, and cannot sign in before they have chosen a new "
                "password with it. It cannot be undone: the old passwords are void and the codes are sent. Whoever "
                "reads a stolen mailbox gets its code: disable such an account first. Sessions that exist live on."
                + (f" {len(barred)} cannot be reset and stay as they are: {with_reasons(barred)}." if barred else "")
            ),
            reversible=False,
        )

    def act(self, scope: Scope, plan: Plan) -> None:
        """Reset each account that has not been yet, and count it; one whose answer was lost is counted first."""
        for user in plan.changing:
            one = self.account(scope, plan.context, user)
            if _status(one.described() or {}) == _RESET:
                one.mark()
        super().act(scope, plan)


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
