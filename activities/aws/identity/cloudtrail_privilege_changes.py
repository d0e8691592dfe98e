"""Tell who gave rights in the account to whom."""

import json
import re
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, iam
from activities.aws.shared.findings import suspect_if
from activities.aws.shared.log_records import address, pseudonym
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.activity_io import Scope
from domain.model.finding import Finding
from domain.values.durations import Duration, spoken
from domain.values.timestamps import stamp_to_second

_GRANTING_EVENTS = """
    AddRoleToInstanceProfile AddUserToGroup AttachGroupPolicy AttachRolePolicy AttachUserPolicy CreateAccessKey
    CreateLoginProfile CreatePolicy CreatePolicyVersion CreateRole CreateUser DeactivateMFADevice
    DeleteRolePermissionsBoundary DeleteUserPermissionsBoundary DeleteVirtualMFADevice PutGroupPolicy PutRolePolicy
    PutRolePermissionsBoundary PutUserPermissionsBoundary PutUserPolicy SetDefaultPolicyVersion
    UpdateAccessKey UpdateAssumeRolePolicy UpdateLoginProfile
"""
_GRANTING = frozenset(_GRANTING_EVENTS.split())
_SERVICE = re.compile(r"[a-z0-9-]+\.amazonaws\.com|AWS Internal")
_PAGES = 40
_SHOWN = 20
_PACE_SECONDS = 0.5
"""CloudTrail answers two of these requests a second (CloudTrail quotas, LookupEvents)."""


class PrivilegeChangesParams(Params):
    """`expected` are principals by ARN, globs allowed, whose changes are nothing new: a delivery pipeline's role."""

    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=90))
    expected: tuple[str, ...] = ()


class PrivilegeChanges(ProbeAction[PrivilegeChangesParams]):
    """Lists changes of IAM users, roles and policies, over `window` up to `at`.

    Suspect are those that went through and that no `expected` principal made; refused ones are counted. Events turn up
    some minutes after the fact. People are named by pseudonyms, events by their ids. It reads 50 events a page, the
    latest first, two pages a second and at most 40.
    """

    name = "cloudtrail.privilege_changes"
    permissions = iam("cloudtrail:LookupEvents")

    def observe(self, scope: Scope, params: PrivilegeChangesParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        home = scope.environment.home_region  # the events of IAM are there alone (CloudTrail, global service events)
        pages = Pages(
            self.clients.client(f"cloudtrail@{home}").lookup_events,
            most=_PAGES,
            pause_seconds=_PACE_SECONDS,
            LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "iam.amazonaws.com"}],
            StartTime=window.start,
            EndTime=window.end,
            MaxResults=50,
        )
        granting = (event for event in pages.items("Events") if event.get("EventName") in _GRANTING)
        listed = [_facts(scope, event, params.expected) for event in granting]
        strange = [one for one in listed if not one["expected"]]
        done, refused = [one for one in strange if not one["error"]], [one for one in strange if one["error"]]
        return suspect_if(
            done,
            (
                f"{len(done)} changes of rights in IAM by unexpected principals in the last {spoken(params.window)}, "
                f"{len(refused)} more refused; {len(listed) - len(strange)} expected"
                + (f": {', '.join(sorted({one['event'] for one in done}))}" if done else "")
                + (" among the latest events; there are more" if pages.truncated else "")
            ),
            {
                "changes": len(done),
                "refused": len(refused),
                "expected": len(listed) - len(strange),
                "events": [*done, *refused][:_SHOWN],
                "truncated": pages.truncated,
                **window.facts(),
            },
            window.of(f"CloudTrail event history, {home},"),
            unsure=pages.truncated,
        )


def _facts(scope: Scope, event: dict[str, Any], expected: tuple[str, ...]) -> dict[str, Any]:
    """Describe an event by references. ARNs of users and sessions may name a person and go no further."""
    record = json.loads(event.get("CloudTrailEvent") or "{}")
    identity = record.get("userIdentity", {})
    role = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("arn")
    arn = str(identity.get("arn", "unknown"))
    return {
        "id": event.get("EventId"),
        "event": event["EventName"],
        "at": stamp_to_second(event["EventTime"]),
        "by": identity.get("type", "unknown"),
        "role": role,
        "principal": pseudonym(scope.incident, arn),
        "expected": any(fnmatchcase(role or arn, pattern) for pattern in expected),
        "access_key": event.get("AccessKeyId"),
        "address": _source(record.get("sourceIPAddress")),
        "error": record.get("errorCode"),
    }


def _source(value: Any) -> str | None:
    """Where a request came from: an address, or a service of AWS by its name; nothing else leaves the worker."""
    service = isinstance(value, str) and _SERVICE.fullmatch(value) is not None
    return str(value) if service else address(value)
