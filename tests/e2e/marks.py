"""Records of patients that are none: a mark of its own in every place where people's data may stand."""

import html
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.faults.security import ATTACKERS
from sandbox.seed.user_pools import sub
from tests.e2e.house import House

MARK = re.compile(rb"phi-mark-[a-z-]+", re.IGNORECASE)
BACKEND_LOG = "/ecs/axis-imaging-backend-production"


def mark(place: str) -> str:
    return f"PHI-MARK-{place}"


def marks_in(content: bytes) -> set[str]:
    """The places whose marks stand in some bytes, whatever case they are written in."""
    return {found.decode().lower().removeprefix("phi-mark-") for found in MARK.findall(content)}


def plant(house: House) -> set[str]:
    """Put marks into logs, audit logs, accounts and alarms, by AWS's own operations; returns the places."""
    return {*_in_the_log(house), *_at_the_firewall(house), *_in_stores(house), *_in_alarms(house)}


class Answers:
    """Marks what only AWS itself writes, in its answers to the worker; `heard` holds every mark that went by."""

    places = frozenset(
        {"rds-line", "rds-statement", "rds-event", "ecs-event", "scaling-cause", "trail-user", "trail-session"}
        | {"trail-agent", "trail-request", "trail-address"}
    )

    def __init__(self) -> None:
        self.heard: set[str] = set()
        self._by_operation: dict[str, Callable[[bytes], bytes]] = {
            "rds.DownloadDBLogFilePortion": _with_lines,
            "rds.DescribeEvents": _with_rds_event,
            "ecs.DescribeServices": lambda body: _said(body, "message", "ecs-event"),
            "application-autoscaling.DescribeScalingActivities": lambda body: _said(body, "Cause", "scaling-cause"),
            "cloudtrail.LookupEvents": _with_event,
        }

    def __call__(self, operation: str, content: bytes) -> bytes:
        alter = self._by_operation.get(operation)
        altered = content if alter is None else alter(content)
        self.heard |= marks_in(altered)
        return altered


def _in_the_log(house: House) -> set[str]:
    """Lines that a look at sign-ins or reads is given: text, and JSON whose fields hold what they should not."""
    taken = {"level": "INFO", "eventType": "AUTHENTICATION", "success": True, "sourceIp": ATTACKERS[0]}
    read = {"level": "INFO", "eventType": "DATA_ACCESS", "success": True, "sourceIp": ATTACKERS[0]}
    raised = {"level": "INFO", "eventType": "PRIVILEGE_ESCALATION"}
    lines = [
        f"ERROR AUTHENTICATION failed: HTTP 503 on GET /api/patients/{mark('line')}",
        f"ERROR DATA_ACCESS failed: duplicate key ({mark('key')}) born 1 April 1970",
        json.dumps(taken | {"userId": f"{mark('account')}@mail.example", "role": mark("role")}),
        json.dumps(raised | {"sourceIp": mark("address"), "userId": mark("escalated")}),
        json.dumps(read | {"userId": mark("reader"), "resourceId": mark("study"), "patient": mark("patient")}),
    ]
    _write(house, BACKEND_LOG, lines)
    return {"line", "key", "account", "role", "address", "escalated", "reader", "study", "patient"}


def _at_the_firewall(house: House) -> set[str]:
    """Requests as the web ACL logs them, with patients in their addresses, and one that is no request."""
    group = next(
        one["logGroupName"]
        for one in house.aws("logs").describe_log_groups(logGroupNamePrefix="aws-waf-logs-")["logGroups"]
    )
    asked = {
        "uri": f"/api/studies/{mark('uri')}",
        "args": f"name={mark('args')}",
        "headers": [{"name": "cookie", "value": mark("cookie")}],
    }
    now = int(datetime.now(UTC).timestamp() * 1000)
    lines = [
        json.dumps({"timestamp": now, "action": action, "httpRequest": asked | {"clientIp": client}})
        for action, client in (("BLOCK", ATTACKERS[1]), ("ALLOW", ATTACKERS[1]), ("ALLOW", mark("client")))
    ]
    _write(house, group, lines)
    return {"uri", "args", "cookie", "client"}


def _in_stores(house: House) -> set[str]:
    """An audit log that names a patient, and the account of a person with a name."""
    house.aws("s3").put_object(
        Bucket="axis-imaging-audit-logs-production", Key="portal/access/today.jsonl", Body=mark("object").encode()
    )
    pool = next(iter(house.aws("cognito-idp").list_user_pools(MaxResults=10)["UserPools"]))["Id"]
    house.aws("cognito-idp").admin_update_user_attributes(
        UserPoolId=pool,
        Username=sub(1),
        UserAttributes=[
            {"Name": "name", "Value": mark("name")},
            {"Name": "email", "Value": f"{mark('mail')}@mail.example"},
        ],
    )
    return {"object", "name", "mail"}


def _in_alarms(house: House) -> set[str]:
    """An alarm whose description, reason and data quote a log line."""
    cloudwatch = house.aws("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="axis-imaging-export-errors",
        AlarmDescription=f"Export fails, for example of {mark('description')}",
        Namespace="Portal",
        MetricName="ExportErrors",
        ComparisonOperator="GreaterThanThreshold",
        EvaluationPeriods=1,
        Period=60,
        Statistic="Sum",
        Threshold=1,
    )
    cloudwatch.set_alarm_state(
        AlarmName="axis-imaging-export-errors",
        StateValue="ALARM",
        StateReason=f"Threshold crossed by {mark('reason')}",
        StateReasonData=json.dumps({"sample": mark("data")}),
    )
    return {"description", "reason", "data"}


def _write(house: House, group: str, lines: list[str]) -> None:
    logs = house.aws("logs")
    logs.create_log_stream(logGroupName=group, logStreamName="marked")
    now = int(datetime.now(UTC).timestamp() * 1000)
    events = [{"timestamp": now, "message": line} for line in lines]
    logs.put_log_events(logGroupName=group, logStreamName="marked", logEvents=events)


def _with_lines(body: bytes) -> bytes:
    """A portion of PostgreSQL's log with a line that quotes a key, and the statement that goes on below it."""
    at = f"{datetime.now(UTC) - timedelta(minutes=1):%Y-%m-%d %H:%M:%S} UTC:10.0.1.12(51834):portal@imaging:[381]:"
    lines = (
        f"{at}ERROR:  duplicate key value: Key (name)=({mark('rds-line')}) already exists.",
        f"{at}STATEMENT:  UPDATE patients\n\tSET name = '{mark('rds-statement')}'",
    )
    added = html.escape("".join(f"\n{line}" for line in lines)).encode()
    return body.replace(b"</LogFileData>", added + b"</LogFileData>")


def _with_rds_event(body: bytes) -> bytes:
    """A page of RDS's events with one more."""
    at = datetime.now(UTC) - timedelta(minutes=1)
    event = (
        f"<Event><SourceType>db-instance</SourceType><Message>restored for {mark('rds-event')}</Message>"
        f"<EventCategories><EventCategory>recovery</EventCategory></EventCategories><Date>{at.isoformat()}</Date></Event>"
    )
    opened = re.sub(rb"<Events\s*/>", b"<Events></Events>", body)
    return opened.replace(b"</Events>", event.encode() + b"</Events>")


def _said(body: bytes, name: str, place: str) -> bytes:
    return re.sub(rf'("{name}":\s*")'.encode(), rb"\g<1>" + mark(place).encode() + b" ", body)


def _with_event(body: bytes) -> bytes:
    """A page of CloudTrail's events with one more, in which names stand wherever they can."""
    page: dict[str, Any] = json.loads(body)
    now = datetime.now(UTC) - timedelta(minutes=2)
    record = {
        "eventID": "0f0e0d0c-0b0a-4908-8706-050403020100",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": f"arn:aws:sts::123456789012:assumed-role/support/{mark('trail-session')}",
            "userName": mark("trail-user"),
        },
        "sourceIPAddress": mark("trail-address"),
        "userAgent": mark("trail-agent"),
        "requestParameters": {"userName": mark("trail-request")},
    }
    page["Events"].append(
        {
            "EventId": record["eventID"],
            "EventName": "CreateUser",
            "EventTime": now.timestamp(),
            "EventSource": "iam.amazonaws.com",
            "Username": mark("trail-user"),
            "CloudTrailEvent": json.dumps(record),
        }
    )
    return json.dumps(page).encode()
