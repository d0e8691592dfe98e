"""What Cognito may refuse of the changes of accounts and of a whole pool, and how their plans know."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import uuid4

from moto.cognitoidp.models import cognitoidp_backends

from activities.aws.identity.cognito_disable_users import DisableUsers
from activities.aws.identity.cognito_require_mfa import RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from tests.activities.catalogue_worlds import world_of
from tests.activities.change_worlds import ChangeWorld
from tests.activities.refusals import PlanRefusals, Told, Undone
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.security_worlds import accounts, everybody, sign_out


def _with_a_stranger(make: Callable[[], ChangeWorld]) -> ChangeWorld:
    """One of the accounts does not exist."""
    world = make()
    world.params["users"] = [*world.params["users"], str(uuid4())]
    return world


def _pool(change: type[Any]) -> Callable[[], ChangeWorld]:
    return partial(accounts, change, lambda _pool: None)


def _traits(make: Callable[[], ChangeWorld], **traits: Any) -> Callable[[], ChangeWorld]:
    """A world whose pool is described with these traits."""

    def made() -> ChangeWorld:
        world = make()
        pool = cognitoidp_backends[ACCOUNT][REGION].user_pools[world.scope.environment.user_pools["patients"]]
        pool.extended_config |= traits
        return world

    return made


def _lite() -> ChangeWorld:
    """A pool that sends codes by mail, and came to be of the lowest tier."""
    world = _traits(everybody, UserPoolTier="LITE")()
    inner: Any = _Mailing(world.clients.inner)
    world.clients.inner = inner
    return world


class _Mailing:
    """Clients of a Cognito that shows what moto does not keep: how codes are mailed."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def client(self, service: str) -> Any:
        made = self._inner.client(service)
        return _Mails(made) if service == "cognito-idp" else made

    once = client


class _Mails:
    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def get_user_pool_mfa_config(self, **asked: Any) -> dict[str, Any]:
        read: dict[str, Any] = self._inner.get_user_pool_mfa_config(**asked)
        return read | {"EmailMfaConfiguration": {"Subject": "Your code"}}


def _one_was_reset() -> ChangeWorld:
    """One of the accounts has to choose a new password before anything else."""
    world = _pool(RequireMfa)()
    cognito = world.clients.inner.client("cognito-idp")
    pool = world.scope.environment.user_pools["patients"]
    cognito.admin_reset_user_password(UserPoolId=pool, Username=world.params["users"][0])
    return world


_NO_ROLE = {"SmsConfigurationFailure": "SNSSandbox, InvalidSmsRoleAccessPolicyException"}
_ADMINISTRATORS = {"RecoveryMechanisms": [{"Priority": 1, "Name": "admin_only"}]}
_CODES_FIRST = {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}}
_WORLDS: dict[str, Callable[[], ChangeWorld]] = {
    "cognito.disable_users": _pool(DisableUsers),
    "cognito.sign_out_users": sign_out,
    "cognito.reset_passwords": _pool(ResetPasswords),
    "cognito.require_mfa": _pool(RequireMfa),
}
_CALLS = {
    "cognito.disable_users": "AdminDisableUser",
    "cognito.sign_out_users": "AdminUserGlobalSignOut",
    "cognito.reset_passwords": "AdminResetUserPassword",
    "cognito.require_mfa": "AdminSetUserMFAPreference",
}
_ELSEWHERE = (("cognito.disable_users", "AdminEnableUser"), ("cognito.require_mfa", "SetUserPoolMfaConfig"))
_EVERY = (*_CALLS.items(), *_ELSEWHERE)
_OF_COGNITO = {
    "OperationNotEnabledException": "what AWS has switched off in a pool shows nowhere before it is asked for",
    "ResourceNotFoundException": "the plan reads the pool or accounts of it first, and ends with AWS's own answer",
}
_OF_MESSAGES = (
    *("InvalidEmailRoleAccessPolicyException", "InvalidLambdaResponseException", "UserLambdaValidationException"),
    *("InvalidSmsRoleTrustRelationshipException", "UnexpectedLambdaException"),
)

PLAN_REFUSALS: PlanRefusals = {
    **{(one, call, code): why for one, call in _EVERY for code, why in _OF_COGNITO.items()},
    **{(one, call, "UserNotFoundException"): partial(_with_a_stranger, _WORLDS[one]) for one, call in _CALLS.items()},
    **{
        (one, call, "InvalidParameterException"): "the same account was described by the same sub just before"
        for one, call in _EVERY
        if call not in {"AdminResetUserPassword", "SetUserPoolMfaConfig"}
    },
    ("cognito.disable_users", "AdminEnableUser", "UserNotFoundException"): Undone(
        lambda: world_of("cognito.disable_users"), lambda world: world.meddle()
    ),
    ("cognito.reset_passwords", "AdminResetUserPassword", "InvalidParameterException"): _traits(
        _pool(ResetPasswords), AccountRecoverySetting=_ADMINISTRATORS
    ),
    ("cognito.reset_passwords", "AdminResetUserPassword", "InvalidSmsRoleAccessPolicyException"): _traits(
        _pool(ResetPasswords), **_NO_ROLE
    ),
    **{
        ("cognito.reset_passwords", "AdminResetUserPassword", code): (
            "what a pool's mail role and triggers do, and whom its SMS role trusts, shows only when it sends"
        )
        for code in _OF_MESSAGES
    },
    **{
        ("cognito.require_mfa", "AdminSetUserMFAPreference", code): Told(_one_was_reset, "status RESET_REQUIRED")
        for code in ("PasswordResetRequiredException", "UserNotConfirmedException")
    },
    ("cognito.require_mfa", "SetUserPoolMfaConfig", "InvalidParameterException"): _traits(
        everybody, Policies=_CODES_FIRST
    ),
    ("cognito.require_mfa", "SetUserPoolMfaConfig", "FeatureUnavailableInTierException"): _lite,
    ("cognito.require_mfa", "SetUserPoolMfaConfig", "InvalidSmsRoleAccessPolicyException"): _traits(
        everybody, **_NO_ROLE
    ),
    ("cognito.require_mfa", "SetUserPoolMfaConfig", "InvalidSmsRoleTrustRelationshipException"): (
        "a pool does not tell whom the role trusts by which it sends, and reading roles is none of our rights"
    ),
}
