"""Short scenarios for the runbook's other incident types: what is found and what is changed."""

from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Actors
from sandbox.scenarios.scenario import Aws, Check
from sandbox.seed.upkeep import following


class Plain:
    """An incident whose fault the probes `suspects` find, and which the step `change`, if any, fixes."""

    type: str
    severity: str
    title: str
    fault: str
    opening: str
    lead: str
    suspects: tuple[str, ...] = ()
    change: str | None = None
    approver: str | None = None

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
        await self.also(actors)
        actors.narrate("Mitigated, resolved, the runbook's tasks done by their owners, closed")
        await actors.finish(self.lead, "The fault that was found is fixed")
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


class Backup(Plain):
    type, severity, lead = "backup-failure", "P1", "devops-lead"
    title = "Backups fail"
    fault = "backup-stale"
    opening = "The primary cannot be restored to any time in the last nine hours."
    suspects = ("restorable-time", "failed-jobs")

    async def also(self, actors: Actors) -> None:
        actors.narrate("A snapshot was started by itself at declaration, since it changes nothing")
        await actors.applied("take-snapshot")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        identifier = environment.databases["primary"].identifier
        taken = aws("rds").describe_db_snapshots(DBInstanceIdentifier=identifier, SnapshotType="manual")["DBSnapshots"]
        ours = [one for one in taken if self._state["id"] in one["DBSnapshotIdentifier"]]
        return [*super().checks(aws, environment, seen_before), Check("one snapshot was taken", len(ours) == 1)]


class CertificateWarning(Plain):
    type, severity, lead = "certificate-warning", "P2", "devops-lead"
    title = "The portal's certificate expires soon"
    fault = "certificate-expiring"
    opening = "The portal's certificate expires in nine days, and ACM cannot renew it."
    suspects = ("certificate",)

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        severity = self._state["severity"]
        unchanged = Check(f"with nine days left it stays {severity}", severity == "P2")
        return [*super().checks(aws, environment, seen_before), unchanged]


class AlertStorm(Plain):
    type, severity, lead = "alert-storm", "P2", "devops-lead"
    title = "Alarms are going off everywhere"
    fault = "alert-storm"
    opening = "A dozen alarms go off at once, and their pages drown each other out."
    suspects = ("alarms",)
    change = "suppress-alarms"
    approver = "technical-manager"

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        self._asked = {"alarms": following(environment)[:4]}
        return {"muted": _muted(aws)}

    async def also(self, actors: Actors) -> None:
        actors.narrate("Quiet enough to think. Once the cause is gone the alarms ring again, before their time is up")
        change = await actors.undo(self.lead, "suppress-alarms")
        await actors.approve("technical-manager", change)
        await actors.applied("suppress-alarms")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        restored = Check("no alarm is muted any more, as before", _muted(aws) == seen_before["muted"] == [])
        return [*super().checks(aws, environment, seen_before), restored]


class FeatureFailure(Plain):
    type, severity, lead = "feature-failure", "P2", "development-lead"
    title = "Reports cannot be exported"
    fault = "feature-failing"
    opening = "The export of reports fails. Everything else works."
    suspects = ("error-logs",)


class Maintenance(Plain):
    type, severity, lead = "maintenance", "P3", "devops-lead"
    title = "The help page shows an old telephone number"
    fault = ""
    opening = "Nothing is broken: a page shows an old telephone number."


def _suspect(state: dict[str, Any]) -> set[str]:
    return {one["step"] for one in state["findings"] if one["status"] == "suspect"}


def _muted(aws: Aws) -> list[str]:
    return [one["AlarmMuteRuleArn"] for one in aws("cloudwatch").list_alarm_mute_rules()["AlarmMuteRuleSummaries"]]
