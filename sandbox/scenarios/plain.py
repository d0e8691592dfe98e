"""The examples of the runbook's severity levels, each told shortly: what is found, what is changed, what is asked."""

from typing import Any

from domain.config.environment import Environment
from sandbox.scenarios.actors import Stage
from sandbox.scenarios.scenario import Aws, Check
from sandbox.seed.upkeep import following


class Plain:
    """An incident whose probes `suspects` find the fault. `change` is the step that answers it, if there is one."""

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

    async def play(self, stage: Stage) -> None:
        stage.narrate("Every probe of the runbook starts at once")
        state = await stage.until("what is wrong", lambda state: set(self.suspects) <= _suspect(state))
        for one in state["findings"]:
            if one["step"] in self.suspects:
                stage.narrate(one["summary"])
        await stage.say(self.lead, "acknowledge")
        if self.change:
            change = await stage.request(self.lead, self.change, **self._asked)
            if self.approver:
                stage.narrate("Somebody else reads the plan and approves exactly that")
                await stage.approve(self.approver, change)
            await stage.applied(self.change)
        await self.also(stage)
        stage.narrate("Mitigated, resolved, the tasks of the runbook done by their owners, closed")
        await stage.finish(self.lead, "What was found is put right")
        self._state = await stage.state()

    async def also(self, stage: Stage) -> None:
        """What else this story holds."""

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        del aws, environment, seen_before
        open_tasks = [task["step"] for task in self._state["tasks"] if task["required"] and task["status"] == "open"]
        found = ", ".join(self.suspects) or "nothing"
        return [
            Check(f"what was found: {found}", set(self.suspects) <= _suspect(self._state)),
            Check(f"all {len(self._state['tasks'])} tasks that are required are done", not open_tasks),
            Check(f"it is {self._state['status']}", self._state["status"] == "closed"),
        ]


class AuditLogging(Plain):
    type, severity, lead = "audit-logging-failure", "P0", "security-lead"
    title = "CloudTrail does not log"
    fault = "audit-logging-stopped"
    opening = "Somebody stopped the account's trail three hours ago, and nobody noticed until now."
    suspects = ("trail-status", "newest-object")
    change = "start-logging"

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        logs = aws("cloudtrail").get_trail_status(Name=environment.trails["account"])["IsLogging"]
        return [*super().checks(aws, environment, seen_before), Check("the trail logs again", bool(logs))]


class Authentication(Plain):
    type, severity, lead = "authentication-failure", "P1", "development-lead"
    title = "Nobody can sign in"
    fault = "authentication-down"
    opening = "Cognito answers every sign-in with an error. The portal itself is well."
    suspects = ("user-pool", "provider-errors")


class Backup(Plain):
    type, severity, lead = "backup-failure", "P1", "devops-lead"
    title = "Backups fail"
    fault = "backup-stale"
    opening = "The primary cannot be restored to any point of the last nine hours."
    suspects = ("restorable-time", "failed-jobs")

    async def also(self, stage: Stage) -> None:
        stage.narrate("A snapshot was begun by itself, at declaration: it changes nothing")
        await stage.applied("take-snapshot")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        identifier = environment.databases["primary"].identifier
        taken = aws("rds").describe_db_snapshots(DBInstanceIdentifier=identifier, SnapshotType="manual")["DBSnapshots"]
        ours = [one for one in taken if self._state["id"] in one["DBSnapshotIdentifier"]]
        return [*super().checks(aws, environment, seen_before), Check("one snapshot was taken", len(ours) == 1)]


class CertificateWarning(Plain):
    type, severity, lead = "certificate-warning", "P2", "devops-lead"
    title = "The portal's certificate ends soon"
    fault = "certificate-expiring"
    opening = "The portal's certificate ends in nine days, and ACM cannot renew it."
    suspects = ("certificate",)

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        severity = self._state["severity"]
        told = Check(f"with nine days left it stays {severity}", severity == "P2")
        return [*super().checks(aws, environment, seen_before), told]


class AlertStorm(Plain):
    type, severity, lead = "alert-storm", "P2", "devops-lead"
    title = "Alarms ring all over"
    fault = "alert-storm"
    opening = "A dozen alarms ring at once, and the pages drown out each other."
    suspects = ("alarms",)
    change = "suppress-alarms"
    approver = "technical-manager"

    def look(self, aws: Aws, environment: Environment) -> dict[str, Any]:
        self._asked = {"alarms": following(environment)[:4]}
        return {"act": _acting(aws)}

    async def also(self, stage: Stage) -> None:
        stage.narrate("Quiet enough to think. Once the cause is gone, exactly those alarms are switched on again")
        change = await stage.undo(self.lead, "suppress-alarms")
        await stage.approve("technical-manager", change)
        await stage.applied("suppress-alarms")

    def checks(self, aws: Aws, environment: Environment, seen_before: dict[str, Any]) -> list[Check]:
        act = _acting(aws)
        told = Check(f"all {len(act)} alarms act as before", act == seen_before["act"] and bool(act))
        return [*super().checks(aws, environment, seen_before), told]


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


def _acting(aws: Aws) -> dict[str, bool]:
    alarms = aws("cloudwatch").describe_alarms()["MetricAlarms"]
    return {one["AlarmName"]: one["ActionsEnabled"] for one in alarms}
