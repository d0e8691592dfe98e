"""What Cognito refuses or forgets that moto does not: turning a second factor off, mails, recovery by people alone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws
from moto.cognitoidp.models import cognitoidp_backends

from activities.action import RuleError
from activities.aws.identity.cognito_require_mfa import RequireMfa
from activities.aws.identity.cognito_reset_passwords import ResetPasswords
from sandbox.aws import cognito
from sandbox.runtime.outbox import Outbox
from tests.activities.scopes import ACCOUNT, REGION
from tests.activities.test_change_accounts import Clinic
from tests.activities.world import WIRE

SENDER = f"arn:aws:iam::{ACCOUNT}:role/cognito-sms"
MAIL = {"Priority": 1, "Name": "verified_email"}
TELEPHONE = {"Priority": 2, "Name": "verified_phone_number"}


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    with mock_aws():
        cognito.install(Outbox(tmp_path / "outbox.jsonl"))
        yield Clinic()


def described(clinic: Clinic, **traits: Any) -> None:
    """Let the pool be described with these traits beside; moto's UpdateUserPool would forget its other settings."""
    cognitoidp_backends[ACCOUNT][REGION].user_pools[clinic.pool.id].extended_config |= traits


def recovers_by(clinic: Clinic, *ways: dict[str, Any], sender: str | None = None) -> None:
    """Let the pool's people recover their accounts so; without a sender it is Cognito's own."""
    given: dict[str, Any] = {"AccountRecoverySetting": {"RecoveryMechanisms": list(ways)}} if ways else {}
    if sender:
        given["EmailConfiguration"] = {"EmailSendingAccount": sender}
    described(clinic, **given)


def test_a_pool_that_asked_nobody_asks_nobody_again(clinic: Clinic) -> None:
    """Undone, nobody is locked out: Cognito takes no factor's settings together with OFF, and forgets them."""
    clinic.pool.client.set_user_pool_mfa_config(UserPoolId=clinic.pool.id, MfaConfiguration="OFF")
    done = clinic.carry_out(RequireMfa, pool_wide=True)
    assert clinic.pool.client.get_user_pool_mfa_config(UserPoolId=clinic.pool.id)["MfaConfiguration"] == "ON"
    back = clinic.planned(RequireMfa, undo=done)
    assert clinic.apply(RequireMfa, back) == "applied"
    assert clinic.pool.client.get_user_pool_mfa_config(UserPoolId=clinic.pool.id)["MfaConfiguration"] == "OFF"
    assert clinic.verified(RequireMfa, back)


def test_passkeys_are_kept_either_way(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are no second factor: what is left out of this write Cognito forgets."""
    passkeys = {"RelyingPartyId": "portal.example", "UserVerification": "required"}
    config = {"MfaConfiguration": "OFF", "WebAuthnConfiguration": passkeys}
    inner = clinic.clients.inner.client("cognito-idp")
    read = inner.get_user_pool_mfa_config
    monkeypatch.setattr(inner, "get_user_pool_mfa_config", lambda **asked: {**read(**asked), **config})
    call = clinic.planned(RequireMfa, pool_wide=True)
    change = RequireMfa(clinic.clients)
    for plan in (call.plan, call.plan.reversed()):
        monkeypatch.setattr(change, "values", lambda *_: {})
        with WIRE.listening() as sent:
            (piece,) = (one for _, one in change.pieces(clinic.scope, plan.after, plan.context))
            piece.set(plan.after["pool"])
        asked = sent[-1].asked
        assert asked["WebAuthnConfiguration"] == passkeys
        assert ("SoftwareTokenMfaConfiguration" in asked) == (asked["MfaConfiguration"] == "ON")


def test_what_others_change_of_a_pool_meanwhile_stays(clinic: Clinic) -> None:
    """Cognito takes the whole configuration: as it stands at the write, and not as it was planned hours before."""
    call = clinic.planned(RequireMfa, pool_wide=True)
    sms = {"SmsAuthenticationMessage": "Another text {####}", "SmsConfiguration": {"SnsCallerArn": SENDER}}
    clinic.pool.client.set_user_pool_mfa_config(
        UserPoolId=clinic.pool.id,
        SmsMfaConfiguration=sms,
        SoftwareTokenMfaConfiguration={"Enabled": call.plan.before["pool"]["authenticator"]},
        MfaConfiguration=call.plan.before["pool"]["mfa"],
    )
    assert clinic.apply(RequireMfa, call) == "applied"
    seen = clinic.pool.client.get_user_pool_mfa_config(UserPoolId=clinic.pool.id)
    assert (seen["MfaConfiguration"], seen["SmsMfaConfiguration"]) == ("ON", sms)


def test_a_pool_that_only_administrators_recover_is_refused(clinic: Clinic) -> None:
    """Cognito resets no password there: said at the plan, and not at the first account."""
    recovers_by(clinic, {"Priority": 1, "Name": "admin_only"})
    with pytest.raises(RuleError, match="lets nobody recover"):
        clinic.planned(ResetPasswords, users=[clinic.account()])


def test_an_account_that_the_pools_way_does_not_reach_is_told(clinic: Clinic) -> None:
    """A verified telephone is none in a pool that recovers by mail alone."""
    recovers_by(clinic, MAIL)
    fit, unreached = clinic.account(), clinic.account(email_verified="false")
    plan = clinic.planned(ResetPasswords, users=[fit, unreached]).plan
    assert f"{unreached} (no verified mail address)" in plan.impact


@pytest.mark.parametrize(
    ("ways", "accounts", "sender", "said"),
    [
        ([MAIL], 51, None, "51 of these accounts get their code by mail"),
        ([MAIL], 51, "DEVELOPER", ""),
        ([TELEPHONE, MAIL], 51, None, "51 of these accounts get their code by mail"),
        ([], 51, None, ""),  # a pool that does not say prefers text messages
    ],
)
def test_more_mails_than_cognito_sends_in_a_day_are_refused(
    clinic: Clinic, ways: list[dict[str, Any]], accounts: int, sender: str | None, said: str
) -> None:
    """Half-way it would end for good, with the rest left as they are; text messages and SES have other limits."""
    recovers_by(clinic, *ways, sender=sender)
    users = [clinic.account() for _ in range(accounts)]
    if said:
        with pytest.raises(RuleError, match=said):
            clinic.planned(ResetPasswords, users=users)
        assert clinic.clients.writes == []
    else:
        assert "50 a day" not in clinic.planned(ResetPasswords, users=users).plan.impact


def test_what_others_have_sent_today_is_told_and_met(clinic: Clinic) -> None:
    """The plan cannot know how many mails are left; where there are too few, the accounts left are named."""
    recovers_by(clinic, MAIL)
    for _ in range(48):
        clinic.pool.client.admin_reset_user_password(UserPoolId=clinic.pool.id, Username=clinic.account())
    call = clinic.planned(ResetPasswords, users=[clinic.account() for _ in range(3)])
    assert "3 codes go by mail: Cognito's own sender sends 50 a day" in call.plan.impact


def test_a_pool_in_which_a_code_alone_signs_in_asks_nobody(clinic: Clinic) -> None:
    """Cognito takes no second factor beside such a first one; a pool that asks everybody already is left as it is."""
    described(clinic, Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"]}})
    with pytest.raises(RuleError, match="by EMAIL_OTP or WEB_AUTHN alone"):
        clinic.planned(RequireMfa, pool_wide=True)
    described(clinic, Policies={})
    clinic.carry_out(RequireMfa, pool_wide=True)
    described(clinic, Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "SMS_OTP"]}})
    assert clinic.planned(RequireMfa, pool_wide=True).plan.changes_nothing


def test_passkeys_that_are_both_factors_may_come_first(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    """They need the higher tier."""
    described(clinic, Policies={"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "WEB_AUTHN"]}})
    inner = clinic.clients.inner.client("cognito-idp")
    read = inner.get_user_pool_mfa_config
    passkeys = {"WebAuthnConfiguration": {"FactorConfiguration": "MULTI_FACTOR_WITH_USER_VERIFICATION"}}
    monkeypatch.setattr(inner, "get_user_pool_mfa_config", lambda **asked: {**read(**asked), **passkeys})
    assert not clinic.planned(RequireMfa, pool_wide=True).plan.changes_nothing
    described(clinic, UserPoolTier="LITE")
    with pytest.raises(RuleError, match="no passkeys as second factor"):
        clinic.planned(RequireMfa, pool_wide=True)


def test_an_account_that_only_a_text_message_reaches_is_told_where_none_goes(clinic: Clinic) -> None:
    """Cognito says of the pool that its role may not send; that the account is in SNS's sandbox stops nothing here."""
    text, mail = clinic.account(email_verified="false"), clinic.account(phone_number_verified="false")
    described(clinic, SmsConfigurationFailure="SNSSandbox")
    assert "text message, which" not in clinic.planned(ResetPasswords, users=[text, mail]).plan.impact
    described(clinic, SmsConfigurationFailure="InvalidSmsRoleAccessPolicyException,SNSSandbox")
    assert (
        f"{text} (its code would go by text message" in clinic.planned(ResetPasswords, users=[text, mail]).plan.impact
    )
    with pytest.raises(RuleError, match="the pool sends no text messages"):
        clinic.planned(RequireMfa, users=[text])
