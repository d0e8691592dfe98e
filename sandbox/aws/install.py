"""All of the sandbox's patches to moto, installed in one place."""

from datetime import timedelta

from sandbox.aws import (
    acm,
    autoscaling,
    backup,
    cloudtrail,
    cloudwatch,
    cognito,
    dynamodb,
    ec2,
    ec2_dry_run,
    ecs,
    elbv2,
    iam,
    insights,
    lambda_dry_run,
    logs_insights,
    messages,
    messages_account,
    quotas,
    rds,
    resolver_firewall,
    s3,
    sms_voice,
    support,
    xray,
)
from sandbox.runtime.outbox import Outbox


def install(outbox: Outbox, pace: timedelta = timedelta(seconds=1)) -> None:
    """Patch moto in this process. `pace` is how long a rollout takes; everything sent goes to `outbox`."""
    ecs.install(pace)
    elbv2.install()
    ec2.install()
    resolver_firewall.install()
    cloudwatch.install()
    rds.install()
    s3.install()
    dynamodb.install()
    support.install()
    cloudtrail.install()
    cognito.install(outbox)
    messages.install(outbox)
    autoscaling.install()
    insights.install()
    logs_insights.install()
    backup.install()
    acm.install()
    xray.install()
    iam.install()
    ec2_dry_run.install()
    messages_account.install()
    quotas.install()
    lambda_dry_run.install()
    sms_voice.install(outbox)
