"""Tell how many traced requests failed or were slow."""

from datetime import datetime, timedelta

from pydantic import Field

from activities.action import Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if, unknown
from activities.aws.shared.pages import Pages
from domain.model.calls import Scope
from domain.model.finding import Finding

_WINDOW = timedelta(minutes=30)
_PAGES = 20


class TracesParams(Params):
    """Suspect when more than `percent` of the traces failed, or took longer than `slow_seconds`."""

    slow_seconds: float = Field(default=2, gt=0)
    percent: float = Field(default=5, gt=0)


class Traces(ProbeAction[TracesParams]):
    """Counts the trace summaries of half an hour; addresses and users are not read.

    X-Ray has a sample of the requests alone. A trace that tells neither how long it took nor whether it failed, as one
    that is not finished, is counted as unread.
    """

    name = "xray.traces"
    permissions = iam("xray:GetTraceSummaries")

    def observe(self, scope: Scope, params: TracesParams, at: datetime) -> Finding:
        pages = Pages(self.clients.client("xray").get_trace_summaries, most=_PAGES, StartTime=at - _WINDOW, EndTime=at)
        total = faults = slow = unread = 0
        for trace in pages.items("TraceSummaries"):
            if not {"HasFault", "ResponseTime", "Duration"} & trace.keys():
                unread += 1
                continue
            total += 1
            faults += bool(trace.get("HasFault"))
            slow += (trace.get("ResponseTime") or trace.get("Duration") or 0) > params.slow_seconds
        facts = {"traces": total, "faults": faults, "slow": slow, "truncated": pages.truncated, "unread": unread}
        if not total:
            return unknown("X-Ray has no traces of the last half hour", facts)
        summary = f"{total} traces: {faults} failed, {slow} took longer than {params.slow_seconds:g} s"
        summary += f"; {unread} could not be read" if unread else ""
        summary += "; there are more" if pages.truncated else ""
        many = 100 * max(faults, slow) > params.percent * total
        return suspect_if(many, summary, facts, unsure=pages.truncated or unread)
