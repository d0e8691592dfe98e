"""What an account needs before the first incident: the roles of workers with their policies, and channels that send."""

import json
from typing import Any

from moto.route53resolver.models import route53resolver_backends
from moto.ses.models import ses_backends

from activities.permissions.roles import roles
from activities.permissions.statements import role_name, statements
from sandbox.aws.resolver_firewall import Group, rule_groups
from sandbox.aws.sms_voice import sms_voice_backends
from sandbox.runtime.aws_world import World

_SENDS_IN = ("AU", "NZ", "GB", "SG", "DE", "NO", "FR")
_SPEND = "200"


def standing(world: World) -> None:
    """Create roles, DNS firewalls, a topic for alarms, a spend limit for text messages, senders that are registered."""
    environment, iam, sns = world.environment, world.client("iam"), world.client("sns")
    trust: dict[str, Any] = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
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
    logs = environment.arn("iam", "role/sms-delivery-logs")
    sns.set_sms_attributes(attributes={"MonthlySpendLimit": _SPEND, "DeliveryStatusIAMRole": logs})
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
    if sender := environment.notifications.sms_sender:
        backend = sms_voice_backends[environment.account][environment.region]
        backend.senders = {(sender, country): True for country in _SENDS_IN}


def _policy(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
