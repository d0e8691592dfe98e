"""Tell whether a trail records what is done in the account, and make it record again."""

from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import BucketName, ChangeAction, Params, ProbeAction, RuleError, TrailName, iam
from activities.aws.observability.trail_coverage import uncovered
from activities.aws.shared.findings import suspect_if
from domain.config.approval import ApprovalClass
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.model.plan import Plan, State, Verification
from domain.values.durations import Duration, spoken
from domain.values.timestamps import short_time, stamp_to_second

_ERRORS = ("LatestDeliveryError", "LatestDigestDeliveryError", "LatestCloudWatchLogsDeliveryError")


class TrailParams(Params):
    """Suspect when nothing was delivered for `silence`; CloudTrail delivers within some five minutes.

    `bucket` is where it should deliver to; `left_out` are services (`kms.amazonaws.com`) whose events are left out on
    purpose.
    """

    trail: TrailName
    bucket: BucketName | None = None
    left_out: tuple[str, ...] = ()
    silence: Duration = Field(default=timedelta(hours=1), gt=timedelta(0))


class TrailStatus(ProbeAction[TrailParams]):
    """Reads whether a trail logs what is done in the account, where to, and when it delivered last.

    A trail that logs and delivers is suspect all the same where its event selectors leave management events out, or
    where it delivers to another bucket than it should. The event history, which other probes read, has no selectors.
    """

    name = "cloudtrail.trail_status"
    permissions = iam("cloudtrail:GetEventSelectors GetTrail GetTrailStatus")

    def observe(self, scope: Scope, params: TrailParams, at: datetime) -> Finding:
        cloudtrail, name = self.clients.client("cloudtrail"), scope.environment.trails[params.trail]
        status, trail = cloudtrail.get_trail_status(Name=name), cloudtrail.get_trail(Name=name)["Trail"]
        left_out = uncovered(cloudtrail.get_event_selectors(TrailName=name))
        delivered, stopped = status.get("LatestDeliveryTime"), status.get("StopLoggingTime")
        errors = {name: status[name] for name in _ERRORS if status.get(name)}
        troubles = []
        if not status["IsLogging"]:
            troubles.append("does not log" + (f", stopped {short_time(stopped)}" if stopped else ""))
        if errors:
            troubles.append(f"cannot deliver ({', '.join(sorted(set(errors.values())))})")
        if delivered is None or delivered < at - params.silence:
            troubles.append("has delivered nothing" + (f" for {spoken(at - delivered)}" if delivered else ""))
        bucket = trail.get("S3BucketName")
        if params.bucket is not None and bucket != scope.environment.buckets[params.bucket]:
            troubles.append(f"delivers to {bucket or 'no bucket'}, which is not {params.bucket}")
        troubles += [one for one in left_out if one.rpartition(" ")[2] not in params.left_out]
        if trail.get("IncludeGlobalServiceEvents") is False:
            troubles.append("leaves out global services, IAM among them")
        facts = {
            "trail": params.trail,
            "logging": bool(status["IsLogging"]),
            "bucket": bucket,
            "left_out": left_out,
            "all_regions": bool(trail.get("IsMultiRegionTrail")),
            "digests": bool(trail.get("LogFileValidationEnabled")),
            "delivered_at": stamp_to_second(delivered),
            "stopped_at": stamp_to_second(stopped),
            "errors": errors,
        }
        told = "; ".join(troubles) or f"logs, delivered last {short_time(delivered)}"
        return suspect_if(troubles, f"trail {params.trail} {told}", facts)


class StartLoggingParams(Params):
    trail: TrailName


class StartLogging(ChangeAction[StartLoggingParams]):
    """Starts a trail's logging; one that logs goes on, so a repeat changes nothing.

    The state is whether it logs, and where to: a trail that somebody pointed elsewhere meanwhile is left alone.
    """

    name = "cloudtrail.start_logging"
    permissions = iam("cloudtrail:GetTrail GetTrailStatus StartLogging")
    classes = (ApprovalClass.A1,)
    irreversible = "nothing of ours stops an audit log"

    def plan(self, scope: Scope, params: StartLoggingParams) -> Plan:
        """Read the trail (`cloudtrail:GetTrail`, `GetTrailStatus`); raises `TrailNotFoundException`, which is final.

        Raises `RuleError` for one of another region or of the organization, which can be started there alone.
        """
        where, trail = scope.environment, self._trail(scope.environment.trails[params.trail])
        if (home := trail.get("HomeRegion", where.region)) != where.region:
            raise RuleError(f"trail {params.trail} is of {home}: it can be started there alone")
        if trail.get("IsOrganizationTrail") and f":{where.account}:" not in trail["TrailARN"]:
            raise RuleError(f"trail {params.trail} is the organization's: its management account alone can start it")
        before = _state(trail)
        return self.proposed(
            target=trail["TrailARN"],
            summary=f"Start the logging of trail {params.trail}",
            before=before,
            after={**before, "logging": True},
            impact=(
                f"{params.trail} records again from now on; what was done meanwhile is in CloudTrail's event history "
                "alone. It cannot be undone from here: to stop an audit log is no remedy for anything."
            ),
        )

    def read(self, scope: Scope, plan: Plan) -> State:
        return _state(self._trail(plan.target))

    def act(self, scope: Scope, plan: Plan) -> None:
        self.clients.once("cloudtrail").start_logging(Name=plan.target)

    def verify(self, scope: Scope, plan: Plan) -> Verification:
        """Look whether it logs; one that CloudTrail cannot deliver for is no audit log, and waited for.

        One that logs to another place than planned is somebody else's doing.
        """
        trail = self._trail(plan.target)
        if trail.get("S3BucketName") != plan.after["bucket"]:
            where = trail.get("S3BucketName") or "no bucket"
            return Verification(done=False, failed=True, message=f"somebody pointed the trail at {where} meanwhile")
        if error := trail.get("LatestDeliveryError"):
            return Verification(done=False, message=f"the trail cannot deliver: {error}")
        logs = _state(trail)["logging"]
        return Verification(done=logs, message="the trail logs" if logs else "the trail does not log yet")

    def _trail(self, name: str) -> dict[str, Any]:
        """What the trail is, and how it is."""
        cloudtrail = self.clients.client("cloudtrail")
        return {**cloudtrail.get_trail(Name=name)["Trail"], **cloudtrail.get_trail_status(Name=name)}


def _state(trail: dict[str, Any]) -> State:
    return {"logging": bool(trail["IsLogging"]), "bucket": trail.get("S3BucketName")}
