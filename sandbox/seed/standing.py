"""What an account needs before the first incident: the roles of workers with their policies, and channels that send."""

import json
from typing import Any

from moto.route53resolver.models import route53resolver_backends
from moto.ses.models import ses_backends

from activities.permissions.roles import FOR_SOMEBODY, roles
from activities.permissions.statements import role_name, statements
from domain.values.telephones import is_number
from sandbox.aws.resolver_firewall import Group, rule_groups
from sandbox.aws.sms_voice import SmsVoiceBackend, sms_voice_backends
from sandbox.runtime.aws_world import World

_SENDS_IN = ("AU", "NZ", "GB", "SG", "DE", "NO", "FR")
_SPEND = 200
_NUMBER = "+12025550100"
"""Of a block that is reserved for fiction."""


def standing(world: World) -> None:
    """Create roles, DNS firewalls, a topic for alarms, senders of mail, texts and calls, with room to send."""
    environment, iam, sns = world.environment, world.client("iam"), world.client("sns")
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Action": list(FOR_SOMEBODY),
        "Principal": {"AWS": environment.arn("iam", "root")},
    }
    for role in roles():
        name = role_name(role, environment)
        try:
            granted = [one.document() for one in statements(role, environment)]
        except LookupError:
            # nobody has placed a new permission yet: tests/permissions fail on it, preflight misses the role, and the
            # sandbox, which asks for no rights, starts all the same
            continue
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_policy([trust]))
        if granted:
            iam.put_role_policy(RoleName=name, PolicyName=role, PolicyDocument=_policy(granted))
    firewalls = rule_groups(route53resolver_backends[environment.account][environment.region])
    firewalls.update({one.dns_firewall: Group() for one in environment.networks.values() if one.dns_firewall})
    sns.create_topic(Name="alarms")
    ses = ses_backends[environment.account][environment.region]
    ses.email_identities[environment.notifications.mail_sender].verified_for_sending_status = True
    if events := environment.notifications.mail_configuration_set:
        sesv2 = world.client("sesv2")
        sesv2.create_configuration_set(ConfigurationSetName=events)
        told = {"Enabled": True, "MatchingEventTypes": ["BOUNCE", "COMPLAINT"]}
        sesv2.create_configuration_set_event_destination(
            ConfigurationSetName=events,
            EventDestinationName="alarms",
            EventDestination={**told, "SnsDestination": {"TopicArn": environment.arn("sns", "alarms")}},
        )
    _telephones(world)


def _telephones(world: World) -> None:
    """Let the account send texts and call, by the senders that the environment names, and tell what becomes of them."""
    environment, given = world.environment, world.environment.notifications
    backend: SmsVoiceBackend = sms_voice_backends[environment.account][environment.region]
    backend.limits = {"TEXT": _SPEND, "VOICE": _SPEND}
    backend.own(given.voice_sender or _NUMBER, "SMS", "VOICE")
    if given.sms_sender and is_number(given.sms_sender):
        backend.own(given.sms_sender, "SMS", "VOICE")
    elif given.sms_sender:
        backend.senders = {(given.sms_sender, country): True for country in _SENDS_IN}
    if events := given.text_configuration_set:
        group = given.text_receipts or "/sms-voice/events"
        world.client("logs").create_log_group(logGroupName=group)
        to = {
            "IamRoleArn": environment.arn("iam", "role/sms-voice-events"),
            "LogGroupArn": environment.arn("logs", f"log-group:{group}"),
        }
        told = {"EventDestinationName": "receipts", "Enabled": True, "MatchingEventTypes": ["TEXT_ALL", "VOICE_ALL"]}
        backend.sets[events] = [{**told, "CloudWatchLogsDestination": to}]


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
