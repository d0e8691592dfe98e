"""Short scenarios for the runbook's other incident types: what is found and what is changed."""

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.config.environment import Environment
from domain.values.durations import spoken
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check, Scenario
from sandbox.seed.upkeep import following


class Plain(Scenario):
    """An incident whose fault the probes `suspects` find.

    The step `change` answers it, `recovery` ends it `outside` the incident, where there are any; `outcome` says what
    came of it.
    """

    type: str
    severity: str
    title: str
    fault: str
    opening: str
    lead: str
    outcome: str
    suspects: tuple[str, ...] = ()
    change: str | None = None
    approver: str | None = None
    outside: str = ""
    recovery: str = ""

    def __init__(self) -> None:
        self._state: dict[str, Any] = {}
        self._asked: dict[str, Any] = {}

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        del aws, environment
        return {}

    async def play(self, actors: Actors) -> None:
        actors.narrate("Every probe of the runbook starts at once")
        state = await actors.until("the suspect findings", lambda state: set(self.suspects) <= _suspect(state))
        for one in state["findings"]:
            if one["step"] in self.suspects:
                actors.narrate(one["summary"])
        await actors.say(self.lead, "acknowledge")
        if self.change:
            change = await actors.request(self.lead, self.change, **self._asked)
            if self.approver:
                actors.narrate("Somebody else reads the plan and approves exactly that plan")
                await actors.approve(self.approver, change)
            await actors.applied(self.change)
        if self.recovery:
            actors.narrate(self.outside)
            actors.break_(self.recovery)
        await self.also(actors)
        actors.narrate("Mitigated, resolved, the runbook's tasks done by their owners, closed")
        await actors.finish(self.lead, self.outcome)
        self._state = await actors.state()

    async def also(self, actors: Actors) -> None:
        """What else happens in this scenario."""

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        del aws, environment, seen_before
        open_tasks = [task["step"] for task in self._state["tasks"] if task["required"] and task["status"] == "open"]
        found = ", ".join(self.suspects) or "nothing"
        return [
            Check(f"found: {found}", set(self.suspects) <= _suspect(self._state)),
            Check(f"of {len(self._state['tasks'])} tasks, all required ones are done", not open_tasks),
            Check(f"it is {self._state['status']}", self._state["status"] == "closed"),
        ]


class AuditLogging(Plain):
    type, severity, lead = "audit-logging-failure", "P0", "security-lead"
    title = "CloudTrail has stopped logging"
    fault = "audit-logging-stopped"
    opening = "Somebody stopped the account's trail three hours ago, and nobody noticed until now."
    outcome = "The trail logs again"
    suspects = ("trail-status", "newest-object")
    change = "start-logging"

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        logging = aws("cloudtrail").get_trail_status(Name=environment.trails["account"])["IsLogging"]
        return [*super().checks(aws, environment, seen_before), Check("the trail logs again", bool(logging))]


class Authentication(Plain):
    type, severity, lead = "authentication-failure", "P1", "development-lead"
    title = "Nobody can sign in"
    fault = "authentication-down"
    opening = "Cognito answers every sign-in with an error. The portal itself is healthy."
    suspects = ("user-pool", "provider-errors")
    outside = "No step of ours mends Cognito: AWS does"
    recovery = "authentication-restored"
    outcome = "Cognito answers again, and people sign in"

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        found = aws("cloudwatch").get_metric_statistics(
            Namespace="AWS/Cognito",
            MetricName="SignInSuccesses",
            Statistics=["Sum"],
            Period=60,
            Dimensions=self._sign_ins(aws),
            StartTime=datetime.now(UTC) - timedelta(minutes=15),
            EndTime=datetime.now(UTC) + timedelta(minutes=1),
        )["Datapoints"]
        latest = max(found, key=lambda point: point["Timestamp"])
        return [*super().checks(aws, environment, seen_before), Check("sign-ins succeed again", latest["Sum"] > 0)]

    @staticmethod
    def _sign_ins(aws: Aws) -> list[dict[str, str]]:
        """The dimensions of the metric in which Cognito counts them."""
        (metric, *_) = aws("cloudwatch").list_metrics(Namespace="AWS/Cognito", MetricName="SignInSuccesses")["Metrics"]
        return list(metric["Dimensions"])


class Backup(Plain):
    type, severity, lead = "backup-failure", "P1", "devops-lead"
    title = "Backups fail"
    fault = "backup-stale"
    opening = "The primary cannot be restored to any time in the last nine hours."
    suspects = ("restorable-time", "failed-jobs")
    outside = "AWS Backup gets its role back by hand, which no step of ours does"
    recovery = "backup-resumed"
    outcome = "Backups work again, and a snapshot was taken meanwhile"

    async def also(self, actors: Actors) -> None:
        actors.narrate("A snapshot was begun without being asked for at declaration; it is waited for")
        await actors.applied("take-snapshot")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        identifier = environment.databases["primary"].identifier
        rds, forensics = aws("rds"), environment.evidence and environment.evidence.snapshots
        found = rds.describe_db_snapshots(DBInstanceIdentifier=identifier, SnapshotType="manual")["DBSnapshots"]
        ours = sorted(one["DBSnapshotIdentifier"] for one in found if self._state["id"] in one["DBSnapshotIdentifier"])
        (instance,) = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"]
        behind = datetime.now(UTC) - instance["LatestRestorableTime"]
        return [
            *super().checks(aws, environment, seen_before),
            Check(
                "one snapshot was taken, and copied for the forensic account", len(ours) == 1 + (forensics is not None)
            ),
            Check(f"the primary can be restored to {spoken(behind)} ago", behind < timedelta(minutes=30)),
        ]


class CertificateWarning(Plain):
    type, severity, lead = "certificate-warning", "P2", "devops-lead"
    title = "The portal's certificate expires soon"
    fault = "certificate-expiring"
    opening = "The portal's certificate expires in nine days, and ACM cannot renew it."
    suspects = ("certificate",)
    outside = "The missing record is put back into DNS by hand, and ACM renews the certificate"
    recovery = "certificate-renewed"
    outcome = "The certificate is renewed"

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        severity = self._state["severity"]
        ends = [aws("acm").describe_certificate(CertificateArn=arn) for arn in environment.certificates.values()]
        left = min(one["Certificate"]["NotAfter"] for one in ends) - datetime.now(UTC)
        return [
            *super().checks(aws, environment, seen_before),
            Check(f"with nine days left it stayed {severity}", severity == "P2"),
            Check(f"now {left.days} days are left", left.days > 60),
        ]


class AlertStorm(Plain):
    type, severity, lead = "alert-storm", "P2", "devops-lead"
    title = "Alarms are going off everywhere"
    fault = "alert-storm"
    opening = "More than a dozen alarms go off at once, and their pages drown each other out."
    suspects = ("alarms",)
    change = "suppress-alarms"
    approver = "technical-manager"
    outside = "Quiet enough to think: the cause is found and removed, and the alarms are well again"
    recovery = "alert-storm-over"
    outcome = "The alarms are well again, and none is silenced"

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        self._asked = {"alarms": following(environment)[:4]}
        return {"muted": _muted(aws)}

    async def also(self, actors: Actors) -> None:
        actors.narrate("So the alarms may be heard again before their time is up")
        change = await actors.undo(self.lead, "suppress-alarms")
        await actors.approve("technical-manager", change)
        await actors.applied("suppress-alarms")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        ringing = aws("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
        return [
            *super().checks(aws, environment, seen_before),
            Check("no alarm is muted any more, as before", _muted(aws) == seen_before["muted"] == []),
            Check("no alarm rings any more", not ringing),
        ]


class FeatureFailure(Plain):
    type, severity, lead = "feature-failure", "P2", "development-lead"
    title = "Reports cannot be exported"
    fault = "feature-failing"
    opening = "The export of reports fails. Everything else works."
    suspects = ("error-logs",)
    outcome = "Reports are exported again"


class Maintenance(Plain):
    type, severity, lead = "maintenance", "P3", "devops-lead"
    title = "The help page shows an old telephone number"
    fault = ""
    opening = "Nothing is broken: a page shows an old telephone number."
    outcome = "The page shows the right number"


def _suspect(state: dict[str, Any]) -> set[str]:
    return {one["step"] for one in state["findings"] if one["status"] == "suspect"}


def _muted(aws: Aws) -> list[str]:
    return [one["AlarmMuteRuleArn"] for one in aws("cloudwatch").list_alarm_mute_rules()["AlarmMuteRuleSummaries"]]
