"""AWS X-Ray's trace summaries, where moto guesses: a trace's duration, and whether it failed."""

from datetime import datetime
from typing import Any

from moto.xray.models import SegmentCollection

from sandbox.aws.moto_patch import patch


def install() -> None:
    """Patch moto with these operations."""
    patch(SegmentCollection, summary=summary)


def summary(
    collection: SegmentCollection, start_time: datetime, end_time: datetime, filter_expression: Any = None
) -> dict[str, Any]:
    """Summarise the traces that began within a window; no filter expressions."""
    if filter_expression is not None:
        raise NotImplementedError("the sandbox's X-Ray takes no filter expression")
    found = []
    for name, trace in list(collection._traces.items()):
        if not trace["finished"] or not start_time <= trace["start_date"] < end_time:
            continue
        seconds = (trace["end_date"] - trace["start_date"]).total_seconds()
        faults = [bool(segment.misc.get("fault")) for segment in trace["segments"]]
        found.append({"Id": name, "Duration": seconds, "ResponseTime": seconds, "HasFault": any(faults)})
    return {"ApproximateTime": 0, "TracesProcessedCount": len(found), "TraceSummaries": found}
