"""Preflight's looks at texts and calls: none says ok of what it has not seen, and none invents a fault."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from activities.preflight.check import Room, Row
from activities.preflight.run import run
from activities.preflight.telephones import CHECKS
from activities.statuspage_client import StatusPageClient
from domain.config.organisation import Organisation
from sandbox.aws.sms_voice import SmsVoiceBackend
from tests.activities.aws_calls import RecordedAws, recorded_aws
from tests.activities.scopes import environment
from tests.activities.telephones import telephones
from tests.builders import organisation

MOBILE, AMERICAN, ITALIAN, OTHER = "+61491570156", "+12025550123", "+390612345678", "+6421123456"


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with recorded_aws() as aws:
        yield aws


@pytest.fixture
def account(aws: RecordedAws) -> SmsVoiceBackend:
    """An account in which all is well."""
    made = telephones()
    made.limits = {"TEXT": 50, "VOICE": 50}
    return made


def looked(aws: RecordedAws, *channels: tuple[str, str], texted: int = 1, **given: Any) -> dict[str, Row]:
    """The rows by their check, for one contact with these channels, or for as many as are to be `texted`."""
    people = organisation().model_dump(mode="json")
    first, *others = people["contacts"]
    first["channels"] = [{"kind": kind, "address": address} for kind, address in channels]
    for one in others[: texted - 1]:
        one["channels"] = first["channels"]
    for one in others[texted - 1 :]:
        one["channels"] = [{"kind": "email", "address": f"{one['id']}@example.com"}]
    named = {"mail_sender": "incidents@example.com", "sms_sender": "INCIDENT", **given}
    room = Room(
        aws,
        environment(notifications=named),
        Organisation.model_validate(people),
        lambda: datetime.now(UTC),
        lambda _: aws,
        StatusPageClient("http://127.0.0.1:9", ""),
    )
    return {row.check: row for row in run(CHECKS, room)}


def test_an_account_in_which_all_is_well_is_ok(aws: RecordedAws, account: SmsVoiceBackend) -> None:
    """With texts, calls, and a configuration set that tells of both."""
    account.sets["told"] = [destination("TEXT_ALL", "VOICE_ALL")]
    rows = looked(
        aws,
        ("sms", MOBILE),
        ("voice", MOBILE),
        voice_sender="+61255501234",
        text_configuration_set="told",
        text_receipts="/receipts",
    )
    assert {name: row.status for name, row in rows.items()} == dict.fromkeys(
        ("text messages", "calls", "sender id", "sender number", "opt-out", "text events"), "ok"
    )


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        ((MOBILE,), "ok"),
        ((AMERICAN,), "wrong"),
        ((MOBILE, AMERICAN), "wrong"),
        ((MOBILE, ITALIAN), "unknown"),
        ((ITALIAN,), "unknown"),
        ((OTHER, ITALIAN), "wrong"),
    ],
)
def test_where_a_sender_must_be_registered_is_not_guessed(
    aws: RecordedAws, account: SmsVoiceBackend, numbers: tuple[str, ...], status: str
) -> None:
    """A number of a country that is not told apart is named; where there are no sender ids, none can be given."""
    seen = looked(aws, *(("sms", number) for number in numbers))["sender id"]
    assert seen.status == status
    assert (ITALIAN in seen.detail) == (ITALIAN in numbers)


@pytest.mark.parametrize(("number", "status"), [(OTHER, "unknown"), (MOBILE, "wrong")])
def test_a_sender_that_is_not_registered_is_wrong_only_where_it_must_be(
    aws: RecordedAws, account: SmsVoiceBackend, number: str, status: str
) -> None:
    """There are sender ids that need no registration (API RequestSenderId); where that is so is not known for good."""
    account.senders.update({("INCIDENT", "AU"): False, ("INCIDENT", "NZ"): False})
    seen = looked(aws, ("sms", number))["sender id"]
    assert (seen.status, "register it" in seen.detail) == (status, status == "wrong")


@pytest.mark.parametrize(
    ("status", "able", "said"), [("ACTIVE", "SMS", "ok"), ("PENDING", "SMS", "wrong"), ("ACTIVE", "VOICE", "wrong")]
)
def test_a_number_to_send_from_is_active_and_for_texts(
    aws: RecordedAws, account: SmsVoiceBackend, status: str, able: str, said: str
) -> None:
    """A number that stands in the file is looked up as one, and nothing is said of sender ids."""
    account.own(AMERICAN, able, status=status)
    rows = looked(aws, ("sms", AMERICAN), sms_sender=AMERICAN)
    assert (rows["sender number"].status, "sender id" in rows) == (said, False)
    account.numbers.clear()
    assert looked(aws, ("sms", AMERICAN), sms_sender=AMERICAN)["sender number"].status == "missing"


@pytest.mark.parametrize(("limits", "told"), [((50, 1), "calls"), ((1, 50), "text messages")])
def test_each_kind_has_a_limit_of_its_own(
    aws: RecordedAws, account: SmsVoiceBackend, limits: tuple[int, int], told: str
) -> None:
    """What may be spent on texts says nothing of calls."""
    account.limits = dict(zip(("TEXT", "VOICE"), limits, strict=True))
    rows = looked(aws, ("sms", MOBILE), ("voice", MOBILE), voice_sender="+61255501234")
    assert [name for name in ("text messages", "calls") if rows[name].status == "wrong"] == [told]


@pytest.mark.parametrize(("spent", "status"), [(0, "ok"), (43, "ok"), (44, "wrong")])
def test_what_is_left_of_the_month_lasts_for_an_hour(
    aws: RecordedAws, account: SmsVoiceBackend, spent: float, status: str
) -> None:
    """A P0 that nobody answers pages somebody every five minutes, 13 times in its first hour, at half a dollar each."""
    if spent:
        metric: Any = {"MetricName": "TextMessageMonthlySpend", "Timestamp": datetime.now(UTC), "Value": spent}
        aws.client("cloudwatch").put_metric_data(Namespace="AWS/SMSVoice", MetricData=[metric])
    seen = looked(aws, ("sms", MOBILE))["text messages"]
    assert (seen.status, f"{50 - spent:.2f} " in seen.detail, " 13" in seen.detail) == (status, True, True)


@pytest.mark.parametrize(
    ("kind", "people", "status"), [("TEN_DLC", 4, "ok"), ("TEN_DLC", 5, "wrong"), ("TOLL_FREE", 5, "ok")]
)
def test_a_number_sends_the_pages_of_a_round(
    aws: RecordedAws, account: SmsVoiceBackend, kind: str, people: int, status: str
) -> None:
    """What it does not send within seconds goes by the next channel, which may be mail."""
    account.own(AMERICAN, "SMS")
    account.numbers[AMERICAN]["NumberType"] = kind
    seen = looked(aws, ("sms", AMERICAN), texted=people, sms_sender=AMERICAN)["sender number"]
    assert (seen.status, f"sends {people} at once" in seen.detail) == (status, status == "wrong")


@pytest.mark.parametrize(("overridden", "status"), [(True, "wrong"), (False, "ok")])
def test_what_was_set_below_the_limit_is_what_counts(
    aws: RecordedAws, account: SmsVoiceBackend, overridden: bool, status: str
) -> None:
    """A limit of one's own holds where AWS says that it does."""
    text = {"Name": "TEXT_MESSAGE_MONTHLY_SPEND_LIMIT", "EnforcedLimit": 5, "MaxLimit": 500, "Overridden": overridden}
    aws.answer("DescribeSpendLimits", lambda _: {"SpendLimits": [text]})
    assert looked(aws, ("sms", MOBILE))["text messages"].status == status


def test_an_account_that_does_not_tell_is_unknown(aws: RecordedAws, account: SmsVoiceBackend) -> None:
    """Neither tier nor limit is taken for granted."""
    aws.answer("DescribeAccountAttributes", lambda _: {"AccountAttributes": []})
    assert looked(aws, ("sms", MOBILE))["text messages"].status == "unknown"


def test_whoever_is_to_be_called_needs_a_number_to_be_called_from(aws: RecordedAws, account: SmsVoiceBackend) -> None:
    """Without one the row names the channel that nobody can call; where nobody is to be called there is no row."""
    seen = looked(aws, ("voice", MOBILE))["calls"]
    assert (seen.status, ".channels[0] cannot be called" in seen.detail) == ("missing", True)
    assert "calls" not in looked(aws, ("sms", MOBILE))


@pytest.mark.parametrize(("sender", "status"), [("INCIDENT", "ok"), (AMERICAN, "wrong"), (None, "wrong")])
def test_only_lists_of_what_we_send_from_count(
    aws: RecordedAws, account: SmsVoiceBackend, sender: str | None, status: str
) -> None:
    """Each number has its list of who opted out; where AWS chooses the sender, all of them count."""
    account.own(AMERICAN, "SMS", opt_outs="Marketing")
    account.opted_out["Marketing"] = {MOBILE}
    assert looked(aws, ("sms", MOBILE), sms_sender=sender)["opt-out"].status == status
    account.opted_out = {"Default": {MOBILE}, "Marketing": set()}
    assert looked(aws, ("sms", MOBILE), sms_sender="INCIDENT")["opt-out"].status == "wrong"


def destination(*told: str, group: str = "/receipts", enabled: bool = True) -> dict[str, Any]:
    arn = f"arn:aws:logs:ap-southeast-2:123456789012:log-group:{group}"
    to = {"IamRoleArn": "arn:aws:iam::123456789012:role/events", "LogGroupArn": arn}
    named = {"EventDestinationName": "receipts", "Enabled": enabled, "MatchingEventTypes": list(told)}
    return {**named, "CloudWatchLogsDestination": to}


@pytest.mark.parametrize(
    ("destinations", "kind", "status"),
    [
        (None, "sms", "missing"),
        ([], "sms", "wrong"),
        ([destination("ALL")], "voice", "ok"),
        ([destination("TEXT_ALL")], "sms", "ok"),
        ([destination("TEXT_ALL")], "voice", "wrong"),
        ([destination("TEXT_DELIVERED", "TEXT_BLOCKED")], "sms", "wrong"),
        ([destination("TEXT_ALL", enabled=False)], "sms", "wrong"),
        ([destination("TEXT_ALL", group="/elsewhere")], "sms", "wrong"),
        ([destination("TEXT_ALL", group="/elsewhere/receipts")], "sms", "wrong"),
        ([destination("TEXT_ALL", group="/elsewhere"), destination("TEXT_ALL", group="/receipts:*")], "sms", "ok"),
    ],
)
def test_failures_must_be_told_where_the_file_says(
    aws: RecordedAws, account: SmsVoiceBackend, destinations: list[Any] | None, kind: str, status: str
) -> None:
    """Every kind of failure of what is sent, to that log group; a set that does not exist is missing."""
    if destinations is not None:
        account.sets["told"] = destinations
    given: Any = {"voice_sender": "+61255501234", "text_configuration_set": "told", "text_receipts": "/receipts"}
    assert looked(aws, (kind, MOBILE), **given)["text events"].status == status


def test_without_a_configuration_set_nobody_learns_of_failures(aws: RecordedAws, account: SmsVoiceBackend) -> None:
    """The file names none: that is what the row says."""
    assert looked(aws, ("sms", MOBILE))["text events"].status == "missing"
