"""Amazon Cognito: user pools and accounts under given ids, and a code sent for every password reset."""

from collections.abc import Callable

from moto.cognitoidp.models import CognitoIdpBackend, CognitoIdpUser, UserStatus, cognitoidp_backends

from domain.values.aws_places import arn
from sandbox.aws.moto_patch import patch
from sandbox.runtime.outbox import Outbox

_admin_reset_user_password = CognitoIdpBackend.admin_reset_user_password


def install(outbox: Outbox) -> None:
    """Patch moto with these operations; installing again changes only the outbox."""
    patch(CognitoIdpBackend, admin_reset_user_password=_resetting(outbox))


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


def _resetting(outbox: Outbox) -> Callable[[CognitoIdpBackend, str, str], None]:
    def admin_reset_user_password(cognito: CognitoIdpBackend, user_pool_id: str, username: str) -> None:
        """Reset a password; Cognito sends a new code on every call."""
        _admin_reset_user_password(cognito, user_pool_id, username)
        user = cognito.admin_get_user(user_pool_id, username)
        outbox.deliver(
            channel="email",
            to=user.attribute_lookup["email"],
            role=None,
            subject="Your password has been reset",
            body="Your password reset code is 4711",
            incident=None,
        )

    return admin_reset_user_password
