"""Tell who gave rights in the account to whom."""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from pydantic import Field

from activities.action import Params, ProbeAction, iam
from activities.aws.identity.rights_events import CENTER, HERE, HOME, LOOKUPS, NOT_COVERED, described
from activities.aws.shared.findings import plural, suspect_if, unknown
from activities.aws.shared.pages import Pages
from activities.aws.shared.windows import Window
from domain.model.calls import Scope
from domain.model.finding import Finding
from domain.values.aws_places import partition_of
from domain.values.durations import Duration, spoken

_PAGES = 50
_SHOWN = 20
_PACE_SECONDS = 0.5
"""CloudTrail answers two of these requests a second, in an account and region (LookupEvents)."""


class PrivilegeChangesParams(Params):
    """`expected` are principals by ARN, globs allowed, whose changes are nothing new: a delivery pipeline's role.

    `identity_center` is the region in which Identity Center was set up, if it is another than the environment's.
    """

    window: Duration = Field(default=timedelta(hours=2), gt=timedelta(0), le=timedelta(days=90))
    expected: tuple[str, ...] = ()
    identity_center: str | None = None


class PrivilegeChanges(ProbeAction[PrivilegeChangesParams]):
    """Lists what gave rights, over `window` up to `at`: in IAM, Identity Center, Roles Anywhere, to other accounts.

    Suspect are changes that went through and that no `expected` principal made; refused ones are counted. Events turn
    up some minutes after the fact. People are named by pseudonyms, events by their ids. The event history takes one
    attribute a look-up and two look-ups a second: 20 of them are made, and at most 50 pages of 50 events read, each
    look-up's latest first. Where the history shows no event whatsoever, nothing is known. `not_covered` says which
    rights are looked for nowhere.
    """

    name = "cloudtrail.privilege_changes"
    permissions = iam("cloudtrail:LookupEvents")

    def observe(self, scope: Scope, params: PrivilegeChangesParams, at: datetime) -> Finding:
        window = Window.before(at, params.window)
        search = _Search(self.clients, _regions(scope, params), window)
        listed, unread = [], 0
        for event in search:
            try:
                listed.append(described(scope, event, params.expected))
            except ValueError:
                unread += 1
        told = [one for one in listed if one is not None]
        strange = [one for one in told if not one["expected"]]
        done, refused = [one for one in strange if not one["error"]], [one for one in strange if one["error"]]
        facts = {
            "changes": len(done),
            "refused": len(refused),
            "expected": len(told) - len(strange),
            "events": [*done, *refused][:_SHOWN],
            "truncated": search.truncated,
            "unread": unread,
            "not_covered": list(NOT_COVERED),
            **window.facts(),
        }
        evidence = window.of("CloudTrail event history")
        if not search.shows_anything():
            return unknown("CloudTrail's event history shows no event at all of that time", facts, evidence)
        summary = (
            f"{plural(len(done), 'change')} of rights by unexpected principals in the last {spoken(params.window)}, "
            f"{len(refused)} more refused; {facts['expected']} expected"
            + (f": {', '.join(sorted({one['event'] for one in done}))}" if done else "")
            + (" among the latest events; there are more" if search.truncated else "")
            + (f"; {unread} events could not be read" if unread else "")
        )
        return suspect_if(done, summary, facts, evidence, unsure=search.truncated or unread)


def _regions(scope: Scope, params: PrivilegeChangesParams) -> dict[str, str]:
    here = scope.environment.region
    return {HOME: partition_of(here).home, CENTER: params.identity_center or here, HERE: here}


class _Search:
    """The events of all look-ups that can give rights, at the pace that CloudTrail allows."""

    def __init__(self, clients: Any, regions: dict[str, str], window: Window) -> None:
        self._clients = clients
        self._regions = regions
        self._window = window
        self.truncated = False
        self._shown = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        left = _PAGES
        for number, one in enumerate(LOOKUPS):
            if not left:
                self.truncated = True
                return
            if number:
                time.sleep(_PACE_SECONDS)
            pages = self._asked(
                one.region, left, LookupAttributes=[{"AttributeKey": one.key, "AttributeValue": one.value}]
            )
            for page in pages:
                left -= 1
                events = page.get("Events", [])
                self._shown = self._shown or bool(events)
                yield from (event for event in events if event.get("EventName", "") in {"", *one.granting})
            self.truncated = self.truncated or pages.truncated

    def shows_anything(self) -> bool:
        """Whether there is any event of the time at all: whatever anybody asks of AWS makes one."""
        if not self._shown:
            time.sleep(_PACE_SECONDS)
            self._shown = any(page.get("Events") for page in self._asked(HERE, 2))
        return self._shown

    def _asked(self, where: str, most: int, **attributes: Any) -> Pages:
        return Pages(
            self._clients.client(f"cloudtrail@{self._regions[where]}").lookup_events,
            most=most,
            pause_seconds=_PACE_SECONDS,
            StartTime=self._window.start,
            EndTime=self._window.end,
            MaxResults=50,
            **attributes,
        )
