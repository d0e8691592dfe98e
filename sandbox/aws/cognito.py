"""Amazon Cognito: user pools and accounts under given ids, and a code sent for every password reset."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

from moto.cognitoidp.exceptions import InvalidParameterException, NotAuthorizedError
from moto.cognitoidp.models import (
    CognitoIdpBackend,
    CognitoIdpUser,
    CognitoIdpUserPool,
    UserStatus,
    cognitoidp_backends,
)
from moto.core.exceptions import ServiceException

from domain.values.aws_places import arn
from sandbox.aws.moto_patch import patch
from sandbox.runtime.outbox import Outbox

_MAILS_A_DAY = 50
"""As many as Cognito's own sender sends (Cognito guide, "Quotas in Amazon Cognito"; API EmailConfigurationType)."""
_admin_reset_user_password = CognitoIdpBackend.admin_reset_user_password
_set_user_pool_mfa_config = CognitoIdpBackend.set_user_pool_mfa_config


def install(outbox: Outbox) -> None:
    """Patch moto with these operations; installing again changes only the outbox."""
    patch(
        CognitoIdpBackend,
        admin_reset_user_password=_resetting(outbox),
        set_user_pool_mfa_config=set_user_pool_mfa_config,
    )


def set_user_pool_mfa_config(
    cognito: CognitoIdpBackend, user_pool_id: str, sms_config: Any, token_config: Any, mfa_config: str
) -> dict[str, Any]:
    """Turn the second factor off, or on; off and a factor's settings together are refused, and off forgets them.

    Public reports of `SetUserPoolMfaConfig` (lgallard/terraform-aws-cognito-user-pool 74, go-to-k/cdkd 1923): passkeys
    are no factor and may be named.
    """
    if mfa_config != "OFF":
        _refuse_codes_first(cognito.describe_user_pool(user_pool_id))
        return dict(_set_user_pool_mfa_config(cognito, user_pool_id, sms_config, token_config, mfa_config))
    if sms_config or token_config:
        raise InvalidParameterException(
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together."
        )
    pool = cognito.describe_user_pool(user_pool_id)
    pool.mfa_config, pool.sms_mfa_config, pool.token_mfa_config = "OFF", None, None
    return {"MfaConfiguration": "OFF"}


def _refuse_codes_first(pool: CognitoIdpUserPool) -> None:
    """Refuse a second factor where a code alone is a first one, or a passkey, which moto never has as both.

    Public reports of `SetUserPoolMfaConfig` (go-to-k/cdkd 1975, hashicorp/terraform-provider-aws 50110).
    """
    policies = (pool.extended_config or {}).get("Policies", {})
    if {"EMAIL_OTP", "SMS_OTP", "WEB_AUTHN"}.intersection(
        policies.get("SignInPolicy", {}).get("AllowedFirstAuthFactors", ())
    ):
        raise InvalidParameterException(
            "Only PASSWORD and WEB_AUTHN (if configured) can be enabled as an auth factor if MFA is enabled"
        )


def named_pool(account: str, region: str, pool_id: str, name: str) -> None:
    """Create a user pool under this id; users sign in by e-mail address, and MFA is optional."""
    cognito: CognitoIdpBackend = cognitoidp_backends[account][region]
    made = cognito.create_user_pool(name, {"UsernameAttributes": ["email"], "MfaConfiguration": "OPTIONAL"})
    del cognito.user_pools[made.id]
    made.arn = made.arn.replace(made.id, pool_id)
    made.id = pool_id
    cognito.user_pools[pool_id] = made
    sms = {
        "SmsAuthenticationMessage": "Your code is {####}",
        "SmsConfiguration": {"SnsCallerArn": arn(region, account, "iam", "role/cognito-sms")},
    }
    cognito.set_user_pool_mfa_config(pool_id, sms, {"Enabled": True}, "OPTIONAL")


def named_account(account: str, region: str, pool_id: str, sub: str, mail: str, *, telephone: str | None) -> None:
    """Create a confirmed account under this sub, with a verified e-mail address and, if given, telephone number."""
    cognito: CognitoIdpBackend = cognitoidp_backends[account][region]
    given = {"email_verified": "true"}
    if telephone:
        given |= {"phone_number": telephone, "phone_number_verified": "true"}
    attributes = [{"Name": key, "Value": value} for key, value in given.items()]
    made: CognitoIdpUser = cognito.admin_create_user(pool_id, mail, "SUPPRESS", "", attributes)
    users = cognito.user_pools[pool_id].users
    del users[made.username]
    made.id = made.username = sub  # with sign-in by e-mail, Cognito uses the sub as user name
    made.update_attributes([{"Name": "sub", "Value": sub}])
    made.status = UserStatus.CONFIRMED
    users[sub] = made


def _count_mail(pool: Any) -> None:
    if pool.extended_config.get("EmailConfiguration", {}).get("EmailSendingAccount") == "DEVELOPER":
        return  # through the account's own SES
    today = datetime.now(UTC).date()
    sent: list[date] = vars(pool).setdefault("mails_sent", [])
    if sent.count(today) >= _MAILS_A_DAY:
        raise ServiceException("LimitExceededException", "Exceeded daily email limit for the operation or the account.")
    sent.append(today)


def _resetting(outbox: Outbox) -> Callable[[CognitoIdpBackend, str, str], None]:
    def admin_reset_user_password(cognito: CognitoIdpBackend, user_pool_id: str, username: str) -> None:
        """Reset a password; Cognito sends a new code on every call.

        Only in a pool that lets people recover their accounts themselves, of an account that is confirmed and enabled
        (API AdminResetUserPassword), and by its own sender only so many mails a day.
        """
        user = cognito.admin_get_user(user_pool_id, username)
        pool = cognito.describe_user_pool(user_pool_id)
        ways = [
            one["Name"] for one in pool.extended_config.get("AccountRecoverySetting", {}).get("RecoveryMechanisms", [])
        ]
        if ways == ["admin_only"]:
            raise InvalidParameterException("The user pool has no self-service account recovery")
        if not user.enabled or user.status not in {UserStatus.CONFIRMED, UserStatus.RESET_REQUIRED}:
            raise NotAuthorizedError("User password cannot be reset in the current state.")
        _count_mail(pool)
        _admin_reset_user_password(cognito, user_pool_id, username)
        outbox.deliver(
            channel="email",
            to=user.attribute_lookup["email"],
            role=None,
            subject="Your password has been reset",
            body="Your password reset code is 4711",
            incident=None,
        )

    return admin_reset_user_password
