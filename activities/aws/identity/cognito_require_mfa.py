"""Ask for a second factor: of named accounts, or of everybody in a user pool."""

from collections.abc import Iterator
from typing import Any

from activities.action import Clients, Params, RuleError, UserPoolName, iam
from activities.aws.identity.cognito_accounts import (
    Account,
    PoolChange,
    Subs,
    attributes,
    count_changing,
    left_alone,
    sends_no_texts,
)
from activities.aws.shared.pieces import Piece
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.plan import Plan, State

_SMS, _FIT, _POOL = "SMS_MFA", "CONFIRMED", "pool"
_OFF = "OFF"
_BOTH = "MULTI_FACTOR_WITH_USER_VERIFICATION"
_PASSKEYS = ("WebAuthnConfiguration",)
_KEPT = ("SmsMfaConfiguration", "EmailMfaConfiguration", *_PASSKEYS)
_EVERYBODY = {"mfa": "ON", "authenticator": True}


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
    """Whether the pool asks everybody."""

    def __init__(self, clients: Clients, pool: str) -> None:
        self._cognito = clients.client("cognito-idp")
        self._pool = pool

    def read(self) -> Any:
        return _asked(_config(self._cognito, self._pool))

    def set(self, value: Any) -> None:
        """`cognito-idp:SetUserPoolMfaConfig`; with OFF no factor's settings go, and passkeys are no factor.

        The rest is written back as it stands now: Cognito forgets what is left out.
        """
        config, off = _config(self._cognito, self._pool), value["mfa"] == _OFF
        kept = {key: config[key] for key in (_PASSKEYS if off else _KEPT) if config.get(key)}
        if not off:
            kept["SoftwareTokenMfaConfiguration"] = {"Enabled": value["authenticator"]}
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
        cognito = self.clients.client("cognito-idp")
        config, known = _config(cognito, pool), cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        if params.pool_wide:
            if _asked(config) != _EVERYBODY:
                _refuse_pool(params.user_pool, known, config)
            return self._plan_pool(params.user_pool, config, context)
        found = self.described(scope, context, params.users)
        before = {user: self.account(scope, context, user).value(one) for user, one in found.items()}
        texts = _sends_texts(params.user_pool, config, known)
        barred = {user: why for user, one in found.items() if (why := _barred(one, texts=texts))}
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

    def refuse_late(self, scope: Scope, plan: Plan) -> None:
        """Whoever is asked for a code by now and gets none is locked out, and Cognito would not refuse that."""
        pool, cognito = plan.context["pool"], self.clients.client("cognito-idp")
        if [_SMS] not in (plan.after[user] for user in plan.changing):
            return
        known = cognito.describe_user_pool(UserPoolId=pool)["UserPool"]
        if not _sends_texts(pool, _config(cognito, pool), known):
            raise RuleError(f"{pool} sends no text messages any more, so that these people could not sign in")

    def pieces(self, scope: Scope, wanted: State, context: State) -> Iterator[tuple[str, Piece]]:
        """Each account, or the pool as a whole."""
        if _POOL in wanted:
            return iter([(_POOL, _WholePool(self.clients, context["pool"]))])
        return super().pieces(scope, wanted, context)

    def _plan_pool(self, name: str, config: dict[str, Any], context: State) -> Plan:
        return self.planned(
            {_POOL: _asked(config)},
            {_POOL: _EVERYBODY},
            context,
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


def _refuse_pool(name: str, pool: dict[str, Any], config: dict[str, Any]) -> None:
    """Refuse where Cognito would: what else stands in a pool's configuration is written along with it.

    Public reports of `SetUserPoolMfaConfig` (go-to-k/cdkd 1975, hashicorp/terraform-provider-aws 50110): with a second
    factor only passwords come first, and passkeys that are good for both. What needs which tier: the operation's API.
    """
    passkeys = config.get("WebAuthnConfiguration", {}).get("FactorConfiguration") == _BOTH
    alone = {"EMAIL_OTP", "SMS_OTP"} if passkeys else {"EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"}
    allowed = pool.get("Policies", {}).get("SignInPolicy", {}).get("AllowedFirstAuthFactors", [])
    if barred := sorted(alone.intersection(allowed)):
        raise RuleError(
            f"{name} lets people sign in by {' or '.join(barred)} alone, and Cognito asks nobody for a second factor "
            "in such a pool: take that out of its sign-in policy first"
        )
    above = ["codes by mail"] * bool(config.get("EmailMfaConfiguration")) + ["passkeys as second factor"] * passkeys
    if above and pool.get("UserPoolTier") == "LITE":
        raise RuleError(f"{name} is of the tier LITE, which has no {' and no '.join(above)}: turn that off first")
    if config.get("SmsMfaConfiguration") and sends_no_texts(pool):
        raise RuleError(f"the role of {name} may send no text messages, says Cognito: mend the role first")


def _sends_texts(name: str, config: dict[str, Any], pool: dict[str, Any]) -> bool:
    """Whether codes go by text message; raises `RuleError` for a pool that asks nobody for a second factor."""
    if config["MfaConfiguration"] == _OFF:
        raise RuleError(f"{name} asks nobody for a second factor: set its MFA to optional first")
    return bool(config.get("SmsMfaConfiguration")) and not sends_no_texts(pool)


def _barred(found: dict[str, Any], *, texts: bool) -> str | None:
    """Why an account cannot be asked for a factor; None when it can, or is asked already. `texts`: text messages go."""
    if found.get("UserMFASettingList"):
        return None
    if found["UserStatus"] != _FIT:
        return f"status {found['UserStatus']}"
    if not texts:
        return "no factor set up, and the pool sends no text messages"
    reached = attributes(found).get("phone_number_verified") == "true"
    return None if reached else "no factor set up and no verified telephone"
