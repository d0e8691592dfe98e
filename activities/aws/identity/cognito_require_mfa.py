"""Ask for a second factor: of named accounts, or of everybody in a user pool."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from activities.action import Params, RuleError, UserPoolName, iam
from activities.aws.identity.cognito_accounts import (
    MOST,
    PoolChange,
    attributes,
    changing,
    known,
    states,
    subs,
    with_reasons,
)
from activities.aws.shared.addresses import listed
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_SMS, _FIT, _POOL = "SMS_MFA", "CONFIRMED", "pool"
_FACTORS = (
    "SmsMfaConfiguration",
    "SoftwareTokenMfaConfiguration",
    "EmailMfaConfiguration",
    "WebAuthnConfiguration",
)


class MfaParams(Params):
    """Either `users`, by their subs, or `pool_wide`, which asks everybody and locks out whoever has no factor."""

    user_pool: UserPoolName
    users: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(default=(), max_length=MOST)
    pool_wide: bool = False

    @field_validator("users")
    @classmethod
    def _subs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return subs(value)


class RequireMfa(PoolChange[MfaParams]):
    """Turns on the second factor that an account can have, or asks the whole user pool for one.

    Cognito shows no factor that is set up and turned off, and nobody but its owner can set one up. So an account that
    has a factor on is left as it is, one with a verified telephone number gets codes there, and the others are named in
    the impact. The state is an account's factors by its sub, or the pool's `MfaConfiguration` under `pool`.
    """

    name = "cognito.require_mfa"
    permissions = iam(
        "cognito-idp:AdminGetUser AdminSetUserMFAPreference DescribeUserPool GetUserPoolMfaConfig",
        "cognito-idp:SetUserPoolMfaConfig",
    )

    def plan(self, scope: Scope, params: MfaParams) -> Plan:
        """Read the accounts or the pool; raises `RuleError` where nothing could be asked for.

        More than 50 accounts, and the whole pool, are class A3.
        """
        pool = scope.environment.user_pools[params.user_pool]
        if params.pool_wide == bool(params.users):
            raise RuleError("name users, or set pool_wide=true and name none")
        cognito = self.cognito
        config = _config(cognito, pool)
        if params.pool_wide:
            return self._plan_pool(params.user_pool, pool, config)
        if config["MfaConfiguration"] == "OFF":
            raise RuleError(f"{params.user_pool} asks nobody for a second factor: set its MFA to optional first")
        found = known(cognito, pool, params.users)
        before = {user: _factors(user, one) for user, one in found.items()}
        barred = {user: why for user, one in found.items() if (why := _barred(one, config))}
        if len(barred) == len(before):
            raise RuleError(f"none of {len(before)} accounts can be asked for a second factor: {with_reasons(barred)}")
        after = {user: held if held or user in barred else [_SMS] for user, held in before.items()}
        return self._plan_users(pool, params.user_pool, (before, after), barred)

    def read(self, scope: Scope, plan: Plan) -> State:
        """Read the factors of each account, or the pool's configuration."""
        cognito, pool = self.cognito, plan.context["pool"]
        if _POOL in plan.before:
            return {_POOL: _asked(_config(cognito, pool))}
        return states(cognito, pool, plan.before, _factors)

    def act(self, scope: Scope, plan: Plan) -> None:
        """Turn the factor of each account on, or off again, or set the pool's configuration whole."""
        cognito, pool = self.cognito, plan.context["pool"]
        if _POOL in plan.before:
            cognito.set_user_pool_mfa_config(UserPoolId=pool, **_whole(plan))
            return
        now = self.read(scope, plan)
        for user in changing(plan.before, plan.after):
            if now[user] != plan.after[user]:
                on = plan.after[user] == [_SMS]
                cognito.admin_set_user_mfa_preference(
                    UserPoolId=pool, Username=user, SMSMfaSettings={"Enabled": on, "PreferredMfa": on}
                )

    def _plan_pool(self, name: str, pool: str, config: dict[str, Any]) -> Plan:
        plan = self.planned(
            pool,
            {_POOL: _asked(config)},
            {_POOL: {"mfa": "ON", "authenticator": True}},
            summary=f"Ask everybody in {name} for a second factor",
            impact=(
                f"Everybody in {name} who has no second factor is locked out until they have set one up at their next "
                "sign-in; tell the support desk first. An undo asks nobody again "
                "who was not asked before; factors set up meanwhile stay."
            ),
            verbatim={key: config[key] for key in _FACTORS if config.get(key)},
        )
        # one field, but everybody in it
        return plan.model_copy(update={"approval_class": ApprovalClass.A3})

    def _plan_users(self, pool: str, name: str, states: tuple[State, State], barred: dict[str, str]) -> Plan:
        before, after = states
        count = len(changing(before, after))
        rest = f" {len(barred)} cannot be asked and stay as they are: {with_reasons(barred)}." if barred else ""
        return self.planned(
            pool,
            before,
            after,
            summary=f"Ask {count} of {len(before)} accounts of {name} for a code at every sign-in",
            impact=(
                f"{count} people need the telephone whose number is on file to sign in, until this is undone. Look "
                "first whether an attacker has changed that number. Accounts that have a second factor keep it." + rest
            ),
        )


def _config(cognito: Any, pool: str) -> dict[str, Any]:
    found: dict[str, Any] = cognito.get_user_pool_mfa_config(UserPoolId=pool)
    return {"MfaConfiguration": "OFF", **found}


def _asked(config: dict[str, Any]) -> dict[str, Any]:
    authenticator = config.get("SoftwareTokenMfaConfiguration") or {}
    return {"mfa": config["MfaConfiguration"], "authenticator": bool(authenticator.get("Enabled"))}


def _whole(plan: Plan) -> dict[str, Any]:
    """The pool's configuration as it was, with what the plan changes; whatever is left out AWS forgets."""
    wanted = plan.after[_POOL]
    return {
        **plan.context["verbatim"],
        "MfaConfiguration": wanted["mfa"],
        "SoftwareTokenMfaConfiguration": {"Enabled": wanted["authenticator"]},
    }


def _factors(_user: str, found: dict[str, Any]) -> list[str]:
    return sorted(found.get("UserMFASettingList", []))


def _barred(found: dict[str, Any], config: dict[str, Any]) -> str | None:
    """Why an account cannot be asked for a factor; None when it can, or is asked already."""
    if found.get("UserMFASettingList"):
        return None
    if found["UserStatus"] != _FIT:
        return f"status {found['UserStatus']}"
    if not config.get("SmsMfaConfiguration"):
        return "no factor set up, and the pool sends no text messages"
    return (
        None
        if attributes(found).get("phone_number_verified") == "true"
        else "no factor set up and no verified telephone"
    )
