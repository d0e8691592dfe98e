"""Incidents, runbooks and organisations to test with: the policies of the contract, names of our own."""

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from domain.config.obligation import Obligations
from domain.config.organisation import Organisation
from domain.config.runbook import Runbook
from domain.model.declaration import Declaration
from domain.values import ids
from domain.values.severity import Severity
from tests.activities.scopes import environment

T0 = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
LEADS = ["devops-lead", "development-lead", "security-lead"]
CHAIN = ["technical-manager", "cto", "ceo"]

_LEVELS: dict[str, list[dict[str, str]]] = {
    "P0": [
        {"unacknowledged": "0m", "unmitigated": "0m"},
        {"unacknowledged": "15m", "unmitigated": "30m"},
        {"unacknowledged": "30m", "unmitigated": "60m"},
    ],
    "P1": [
        {"unacknowledged": "60m", "unmitigated": "120m"},
        {"unacknowledged": "120m", "unmitigated": "240m"},
        {"unacknowledged": "480m", "unmitigated": "480m"},
    ],
    "P2": [{"unacknowledged": "4h", "unmitigated": "8h"}, {"unacknowledged": "16h", "unmitigated": "16h"}],
    "P3": [{"unacknowledged": "48h", "unmitigated": "48h"}],
}
_POLICIES: dict[str, dict[str, Any]] = {
    "P0": {
        "respond": "15m",
        "escalate": "0m",
        "repage": "5m",
        "approve": "10m",
        "update": "30m",
        "page_all_leads": True,
    },
    "P1": {"respond": "1h", "escalate": "2h", "repage": "15m", "approve": "30m", "update": "2h"},
    "P2": {"respond": "4h", "escalate": "8h", "repage": "1h", "approve": "4h", "update": "1d"},
    "P3": {"respond": "24h", "escalate": "48h", "repage": "8h", "approve": "4h"},
}


def incident_id(at: datetime) -> str:
    """A name for an incident declared at this instant, the same each time."""
    return next(ids.incident_ids(at, Random(at.timestamp()).randrange))


def organisation(*, sign_of_life: str | None = None) -> Organisation:
    """The three leads, the chain, a privacy officer; the policies of the contract's table.

    With `sign_of_life` its P0 asks for one that often.
    """
    asked = {"P0": {"sign_of_life": sign_of_life}}
    roles = [*LEADS, *CHAIN, "privacy-officer"]
    return Organisation.model_validate(
        {
            "id": "example",
            "title": "Example",
            "timezone": "Australia/Sydney",
            "contacts": [
                {"id": role, "roles": [role], "channels": [{"kind": "sms", "address": f"+6149157000{number}"}]}
                for number, role in enumerate(roles)
            ],
            "chain": CHAIN,
            "retention": "2557d",
            "approval": {
                "A2": {"roles": ["incident-commander", "technical-manager"]},
                "A3": {"roles": ["cto", "devops-lead"], "quorum": 2},
            },
            "externals": [{"id": "insurer", "title": "Insurer", "contact": "by phone"}],
            "severities": {
                name: {**policy, **asked.get(name, {}), "levels": _LEVELS[name]} for name, policy in _POLICIES.items()
            },
        }
    )


def runbook(**changes: Any) -> Runbook:
    """Two probes, three changes, tasks before and after, notices; `changes` replace its fields."""
    content: dict[str, Any] = {
        "id": "system-outage",
        "title": "System outage",
        "version": "1.0",
        "severities": ["P0", "P1", "P2", "P3"],
        "owner": "devops-lead",
        "on_call": LEADS,
        "phases": [
            {
                "id": "immediate",
                "title": "Immediate actions",
                "within": "15m",
                "steps": [
                    {"id": "health", "probe": "test.health", "title": "Health"},
                    {"id": "deployments", "probe": "test.deployments", "title": "Deployments"},
                    {
                        "id": "rollback",
                        "change": "test.rollback",
                        "title": "Roll back",
                        "with": {"service": "backend"},
                        "suggested_by": ["deployments"],
                    },
                    {
                        "id": "scale-up",
                        "change": "test.scale",
                        "title": "Scale up",
                        "with": {"service": "backend"},
                        "ask": ["count"],
                    },
                    {
                        "id": "promote",
                        "change": "test.promote",
                        "title": "Promote",
                        "approval": {"roles": ["cto", "devops-lead"], "quorum": 2},
                    },
                    {"id": "assess", "task": "Assess the impact", "owner": "devops-lead", "due": "15m"},
                ],
            },
            {
                "id": "afterwards",
                "title": "Afterwards",
                "starts": "resolved",
                "steps": [
                    {"id": "review", "task": "Review", "owner": "technical-manager", "due": "5d"},
                    {"id": "training", "task": "Train", "owner": "devops-lead", "due": "10d", "required": False},
                ],
            },
        ],
    }
    return Runbook.model_validate({**content, **changes})


NOTICES = {
    "id": "telling",
    "title": "Telling",
    "steps": [
        {"id": "investigating", "notice": "test.tell", "title": "Investigating", "after": "5m"},
        {"id": "support", "notice": "test.tell", "title": "Support", "after": "10m", "unless": ["deployments"]},
        {"id": "monitoring", "notice": "test.tell", "title": "Monitoring", "on": "mitigated"},
        {"id": "resolved", "notice": "test.tell", "title": "Resolved", "on": "resolved"},
    ],
}


def with_notices() -> Runbook:
    plain = runbook().model_dump(mode="json", by_alias=True)
    return runbook(phases=[*plain["phases"], NOTICES])


def owed() -> Obligations:
    """Two facts; an assessment that the second ends, a statement that it opens, and somebody to be told."""
    return Obligations.model_validate(
        {
            "facts": [
                {"id": "suspicion_at", "title": "Suspected", "with_phi": True, "moved_by": ["privacy-officer"]},
                {"id": "belief_at", "title": "Believed"},
            ],
            "obligations": [
                {
                    "id": "assessment",
                    "title": "Assess",
                    "basis": "law",
                    "source": "s 26WH",
                    "starts": "suspicion_at",
                    "due": {"within": "30d", "basis": "law", "source": "s 26WH(2)"},
                    "owner": "privacy-officer",
                    "signers": ["technical-manager", "cto"],
                    "outcomes": ["not-eligible", "remediated"],
                    "superseded_by": ["belief_at"],
                    "reminders": [
                        {"after": "7d", "to": ["privacy-officer", "cto"]},
                        {"after": "3d", "to": ["privacy-officer"]},
                    ],
                },
                {
                    "id": "statement",
                    "title": "Make the statement",
                    "basis": "law",
                    "source": "s 26WK",
                    "starts": "belief_at",
                    "due": {
                        "within": "72h",
                        "basis": "policy",
                        "source": "our own ceiling",
                        "as_soon_as_practicable": True,
                    },
                    "owner": "privacy-officer",
                    "signers": ["privacy-officer", "cto"],
                    "reminders": [{"after": "0m", "to": ["privacy-officer"]}, {"after": "48h", "to": ["cto"]}],
                },
                {
                    "id": "officer-told",
                    "title": "Tell the Privacy Officer",
                    "basis": "policy",
                    "source": "the runbook",
                    "starts": "suspicion_at",
                    "due": {"within": "15m", "basis": "policy", "source": "the runbook"},
                    "owner": "privacy-officer",
                    "ends_by_acknowledgement": True,
                },
            ],
        }
    )


def declaration(**changes: Any) -> Declaration:
    """A live P0 at T0; `changes` replace its fields."""
    book = changes.pop("runbook", runbook())
    fields: dict[str, Any] = {
        "incident_id": "inc-20261123-7f3k",
        "title": "Portal down",
        "severity": Severity.P0,
        "declared_at": T0,
        "declared_by": "devops-lead",
        "organisation": organisation(),
        "environment": environment(kind="sandbox"),
        "runbook": book,
        "runbook_digest": book.digest(),
        "obligations": owed(),
    }
    return Declaration(**{**fields, **changes})


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
