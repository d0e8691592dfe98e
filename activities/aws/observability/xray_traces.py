"""Tell how many traced requests failed or were slow."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import Params, ProbeAction
from domain.model.activity_io import Scope
from domain.model.finding import Finding, FindingStatus

_WINDOW = timedelta(minutes=30)
_PAGES = 20


class TracesParams(Params):
    """Suspect when more than `percent` of the traces failed, or took longer than `slow_seconds`."""

    slow_seconds: float = Field(default=2, gt=0)
    percent: float = Field(default=5, gt=0)


class Traces(ProbeAction[TracesParams]):
    """Counts the trace summaries of half an hour (`xray:GetTraceSummaries`); addresses and users are not read."""

    name = "xray.traces"

    def observe(self, scope: Scope, params: TracesParams, at: datetime) -> Finding:
        xray = self.clients.client("xray")
        token: dict[str, str] = {}
        total = faults = slow = 0
        truncated = True
        for _ in range(_PAGES):
            page = xray.get_trace_summaries(StartTime=at - _WINDOW, EndTime=at, **token)
            for trace in page["TraceSummaries"]:
                total += 1
                faults += bool(trace.get("HasFault"))
                slow += (trace.get("ResponseTime") or trace.get("Duration") or 0) > params.slow_seconds
            if not page.get("NextToken"):
                truncated = False
                break
            token = {"NextToken": page["NextToken"]}
        facts = {"traces": total, "faults": faults, "slow": slow, "truncated": truncated}
        if not total:
            return Finding(status=FindingStatus.UNKNOWN, summary="X-Ray has no traces of half an hour", facts=facts)
        bad = 100 * max(faults, slow) > params.percent * total
        return Finding(
            status=FindingStatus.SUSPECT if bad else FindingStatus.OK,
            summary=f"{total} traces: {faults} failed, {slow} took longer than {params.slow_seconds:g} s",
            facts=facts,
        )
