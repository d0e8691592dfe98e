"""Make people choose a new password, by a code that Cognito sends them, once."""

from typing import Any

from activities.action import RuleError, iam
from activities.aws.identity.account_marks import MarkedAccount, MarkedChange
from activities.aws.identity.cognito_accounts import (
    AccountsParams,
    attributes,
    count_changing,
    left_alone,
    sends_no_texts,
)
from domain.model.calls import Scope
from domain.model.plan import Plan, State

_RESET, _FIT, _DISABLED = "RESET_REQUIRED", "CONFIRMED", "disabled"
_MAIL, _TELEPHONE = "verified_email", "verified_phone_number"
_REACHED_AT = {_MAIL: "email_verified", _TELEPHONE: "phone_number_verified"}
_MAILS_A_DAY = 50
"""As many as Cognito's own sender sends (quotas of Amazon Cognito)."""


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
    irreversible = "the old passwords are void, and the codes are sent"

    def plan(self, scope: Scope, params: AccountsParams) -> Plan:
        """Read the accounts; raises `RuleError` where one does not exist or none can be reset. Above 50, A3.

        Also where the pool lets nobody recover an account, and for more mails than Cognito's own sender sends in a day.
        """
        pool = scope.environment.user_pools[params.user_pool]
        described = self.clients.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
        codes = _codes(described, params.user_pool)
        ways, texts = codes["ways"], codes["texts"]
        context = self.counted(scope, pool, params.users) | {"codes": codes}
        found = self.described(scope, context, params.users)
        before = {user: _status(one) for user, one in found.items()}
        barred = {user: why for user, one in found.items() if (why := _barred(one, ways, texts=texts))}
        rest = left_alone(barred, len(before), "reset")
        after = {user: status if user in barred else _RESET for user, status in before.items()}
        count = count_changing(before, after)
        mails = sum(_reached(found[user], ways)[:1] == [_MAIL] for user in after if before[user] != after[user])
        return self.planned(
            before,
            after,
            context,
            summary=f"Reset the passwords of {count} of {len(before)} accounts of {params.user_pool}",
            impact=(
                f"{count} people get a code by mail or text message, and cannot sign in before they have chosen a new "
                "password with it. It cannot be undone: the old passwords are void and the codes are sent. Whoever "
                "reads a stolen mailbox gets its code: disable such an account first. Sessions that exist live on."
                + _of_mails(mails, own=codes["own_mail"])
                + rest
            ),
        )

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """Whoever is reset and gets no code is locked out, and that is not taken back."""
        pool = plan.context["pool"]
        described = self.clients.client("cognito-idp").describe_user_pool(UserPoolId=pool)["UserPool"]
        if _codes(described, pool) != plan.context["codes"]:
            raise RuleError(f"how {pool} sends its codes has changed since the plan: plan again")

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


def _codes(pool: dict[str, Any], name: str) -> State:
    """How codes reach people: the ways, whether text messages go, and whether mail is Cognito's own sender's."""
    own = pool.get("EmailConfiguration", {}).get("EmailSendingAccount", "COGNITO_DEFAULT") == "COGNITO_DEFAULT"
    return {"ways": _ways(pool, name), "texts": not sends_no_texts(pool), "own_mail": own}


def _ways(pool: dict[str, Any], name: str) -> list[str]:
    """How people of the pool recover their accounts, the preferred way first.

    A pool that does not say prefers text messages (API AccountRecoverySettingType). Raises `RuleError` where only
    administrators do: Cognito resets no password then (API AdminResetUserPassword).
    """
    given = pool.get("AccountRecoverySetting", {}).get("RecoveryMechanisms")
    if not given:
        return [_TELEPHONE, _MAIL]
    ways = [one["Name"] for one in sorted(given, key=lambda one: int(one["Priority"])) if one["Name"] in _REACHED_AT]
    if not ways:
        raise RuleError(f"{name} lets nobody recover an account: Cognito resets no password there")
    return ways


def _reached(found: dict[str, Any], ways: list[str]) -> list[str]:
    """The ways by which a code would reach an account; text messages that are its second factor do not count first."""
    verified = [way for way in ways if attributes(found).get(_REACHED_AT[way]) == "true"]
    factors = found.get("UserMFASettingList", [])
    return sorted(verified, key=lambda way: way == _TELEPHONE and "SMS_MFA" in factors)


def _of_mails(count: int, *, own: bool) -> str:
    """What is to be said of the mails that are sent; raises `RuleError` for more than Cognito sends in a day."""
    if not own or not count:
        return ""
    if count > _MAILS_A_DAY:
        raise RuleError(
            f"{count} of these accounts get their code by mail, and Cognito's own sender sends {_MAILS_A_DAY} a day: "
            f"name {_MAILS_A_DAY} at most, or let the user pool send through Amazon SES"
        )
    return f" {count} codes go by mail: Cognito's own sender sends {_MAILS_A_DAY} a day, those of others included."


def _barred(found: dict[str, Any], ways: list[str], *, texts: bool) -> str | None:
    """Why Cognito would refuse to reset an account; None when it would not, or need not."""
    status = _status(found)
    if status == _RESET:
        return None
    if status != _FIT:
        return status if status == _DISABLED else f"status {status}"
    if reached := _reached(found, ways):
        untold = reached[0] == _TELEPHONE and not texts
        return "its code would go by text message, which the pool's role may not send" if untold else None
    named = {_MAIL: "mail address", _TELEPHONE: "telephone number"}
    return f"no verified {' or '.join(name for way, name in named.items() if way in ways)}"
