"""Ask for a second factor: of named accounts, or of everybody in a user pool."""

from collections.abc import Iterator
from typing import Any

from activities.action import Clients, Params, RuleError, UserPoolName, iam
from activities.aws.identity.cognito_accounts import Account, PoolChange, Subs, attributes, count_changing, left_alone
from activities.aws.shared.pieces import Piece
from domain.config.approval import ApprovalClass
from domain.model.activity_io import Scope
from domain.model.plan import Plan, State

_SMS, _FIT, _POOL = "SMS_MFA", "CONFIRMED", "pool"
_OFF = "OFF"
_PASSKEYS = ("WebAuthnConfiguration",)
_KEPT = ("SmsMfaConfiguration", "EmailMfaConfiguration", *_PASSKEYS)


class MfaParams(Params):
    """Either `users`, by their subs, or `pool_wide`, which asks everybody and locks out whoever has no factor."""

    user_pool: UserPoolName
    users: Subs = ()
    pool_wide: bool = False


class _Factors(Account):
    def value(self, found: dict[str, Any]) -> list[str]:
        return sorted(found.get("UserMFASettingList", []))

    def set(self, value: Any) -> None:
        on = value == [_SMS]
        self.cognito.admin_set_user_mfa_preference(**self.where, SMSMfaSettings={"Enabled": on, "PreferredMfa": on})


class _WholePool(Piece):
    """Whether the pool asks everybody; `verbatim` is the rest of its configuration, which AWS forgets if left out."""

    def __init__(self, clients: Clients, pool: str, verbatim: dict[str, Any]) -> None:
        self._cognito = clients.client("cognito-idp")
        self._pool = pool
        self._verbatim = verbatim

    def read(self) -> Any:
        return _asked(_config(self._cognito, self._pool))

    def set(self, value: Any) -> None:
        """`cognito-idp:SetUserPoolMfaConfig`; with OFF no factor's settings go, and passkeys are no factor."""
        if value["mfa"] == _OFF:
            kept = {key: self._verbatim[key] for key in _PASSKEYS if key in self._verbatim}
        else:
            kept = {**self._verbatim, "SoftwareTokenMfaConfiguration": {"Enabled": value["authenticator"]}}
        self._cognito.set_user_pool_mfa_config(UserPoolId=self._pool, MfaConfiguration=value["mfa"], **kept)


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
    piece = _Factors

    def plan(self, scope: Scope, params: MfaParams) -> Plan:
        """Read the accounts or the pool; raises `RuleError` where nothing could be asked for.

        More than 50 accounts, and the whole pool, are class A3.
        """
        pool = scope.environment.user_pools[params.user_pool]
        if params.pool_wide == bool(params.users):
            raise RuleError("name users, or set pool_wide=true and name none")
        context: State = {"pool": pool}
        config = _config(self.clients.client("cognito-idp"), pool)
        if params.pool_wide:
            return self._plan_pool(params.user_pool, config, context)
        if config["MfaConfiguration"] == _OFF:
            raise RuleError(f"{params.user_pool} asks nobody for a second factor: set its MFA to optional first")
        found = self.described(scope, context, params.users)
        before = {user: self.account(scope, context, user).value(one) for user, one in found.items()}
        barred = {user: why for user, one in found.items() if (why := _barred(one, config))}
        rest = left_alone(barred, len(before), "asked for a second factor")
        after = {user: held if held or user in barred else [_SMS] for user, held in before.items()}
        count = count_changing(before, after)
        return self.planned(
            before,
            after,
            context,
            summary=f"Ask {count} of {len(before)} accounts of {params.user_pool} for a code at every sign-in",
            impact=(
                f"{count} people need the telephone whose number is on file to sign in, until this is undone. Look "
                "first whether an attacker has changed that number. Accounts that have a second factor keep it." + rest
            ),
        )

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterator[tuple[str, Piece]]:
        """Each account, or the pool as a whole."""
        if _POOL in wanted:
            return iter([(_POOL, _WholePool(self.clients, context["pool"], context["verbatim"]))])
        return super().pieces(scope, wanted, context)

    def _plan_pool(self, name: str, config: dict[str, Any], context: State) -> Plan:
        return self.planned(
            {_POOL: _asked(config)},
            {_POOL: {"mfa": "ON", "authenticator": True}},
            context | {"verbatim": {key: config[key] for key in _KEPT if config.get(key)}},
            summary=f"Ask everybody in {name} for a second factor",
            impact=(
                f"Everybody in {name} who has no second factor is locked out until they have set one up at their next "
                "sign-in; tell the support desk first. An undo asks nobody again "
                "who was not asked before; factors set up meanwhile stay."
            ),
            approval_class=ApprovalClass.A3,  # one field, but everybody in it
        )


def _config(cognito: Any, pool: str) -> dict[str, Any]:
    found: dict[str, Any] = cognito.get_user_pool_mfa_config(UserPoolId=pool)
    return {"MfaConfiguration": _OFF, **found}


def _asked(config: dict[str, Any]) -> dict[str, Any]:
    """What a pool asks for; Cognito forgets the settings of factors when it asks nobody."""
    asks = config["MfaConfiguration"] != _OFF
    authenticator = config.get("SoftwareTokenMfaConfiguration") or {}
    return {"mfa": config["MfaConfiguration"], "authenticator": asks and bool(authenticator.get("Enabled"))}


def _barred(found: dict[str, Any], config: dict[str, Any]) -> str | None:
    """Why an account cannot be asked for a factor; None when it can, or is asked already."""
    if found.get("UserMFASettingList"):
        return None
    if found["UserStatus"] != _FIT:
        return f"status {found['UserStatus']}"
    if not config.get("SmsMfaConfiguration"):
        return "no factor set up, and the pool sends no text messages"
    reached = attributes(found).get("phone_number_verified") == "true"
    return None if reached else "no factor set up and no verified telephone"
