"""Asking AWS for help: one support case for each incident, found again by the incident's id in its subject."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from activities.action import NoParams, NoticeAction, Params, RuleError, iam
from activities.aws.shared.error_codes import code_of
from domain.model.activity_io import Noticed
from domain.model.calls import Scope
from domain.values.severity import Severity

_NO_PLAN = "SubscriptionRequiredException"
_WANTED: dict[Severity, tuple[str, ...]] = {
    Severity.P0: ("critical", "urgent", "high", "normal", "low"),
    Severity.P1: ("urgent", "high", "normal", "low"),
    Severity.P2: ("normal", "low"),
    Severity.P3: ("low",),
}
_IN_EVERY_PLAN = {"low", "normal", "high", "urgent"}
"""What every plan with a Support API has (AWS Support, choosing a severity)."""
_OPENING = threading.Lock()  # an attempt that outlived its timeout and its successor must not both find nothing


class CaseParams(Params):
    """What AWS files the case under, as Support `DescribeServices` names it."""

    service_code: str = "general-info"
    category_code: str = "using-aws"
    language: str = "en"


class OpenCase(NoticeAction[CaseParams]):
    """Opens a technical support case."""

    name = "support.open_case"
    audience = "AWS Support"
    permissions = iam("support:CreateCase DescribeCases DescribeSeverityLevels")

    def send(self, scope: Scope, params: CaseParams, sequence: int) -> Noticed:
        """Open the incident's support case, at most once, at the gravest severity that the plan has.

        Looks for the incident's id among the subjects of all cases, resolved ones too, before it creates.
        The text holds ids and times only. Refused where the account's support plan has no Support API.
        Support: `DescribeCases`, `DescribeSeverityLevels`, `CreateCase`, in the partition's home region; sent once,
        as no token exists.
        """
        support = self.clients.client("support")
        with _OPENING, _with_a_plan():
            if known := _find(support, scope):
                return Noticed(reference=known[0]["caseId"], text="The support case was opened before.")
            severity = _severity(support, scope.severity, params.language)
            case = self.clients.once("support").create_case(
                subject=_subject(scope),
                communicationBody=_body(scope),
                serviceCode=params.service_code,
                categoryCode=params.category_code,
                severityCode=severity,
                language=params.language,
                issueType="technical",
            )
        return Noticed(reference=str(case["caseId"]), text=f"Opened a support case of severity {severity}.")

    def words(self, scope: Scope, params: CaseParams) -> str:
        return _subject(scope)


class ResolveCase(NoticeAction[NoParams]):
    """Resolves the case that the incident opened."""

    name = "support.resolve_case"
    audience = "AWS Support"
    permissions = iam("support:DescribeCases ResolveCase")

    def send(self, scope: Scope, params: NoParams, sequence: int) -> Noticed:
        """Resolve every open case of the incident; one that is resolved stays so, and none is no error.

        Support: `DescribeCases`, `ResolveCase`, in the partition's home region.
        """
        support = self.clients.client("support")
        with _with_a_plan():
            known = _find(support, scope)
            for case in known:
                if case["status"] != "resolved":
                    support.resolve_case(caseId=case["caseId"])
        if not known:
            return Noticed(reference="none", text="No support case was opened, so there is none to resolve.")
        return Noticed(reference=known[0]["caseId"], text="The support case is resolved.")

    def words(self, scope: Scope, params: NoParams) -> str:
        return f"{_subject(scope)}: resolved"


def _subject(scope: Scope) -> str:
    return f"[{scope.incident}] {scope.severity} {scope.type} in {scope.environment.region}"


def _find(support: Any, scope: Scope) -> list[dict[str, Any]]:
    """The cases whose subject carries the incident's id; an hour's grace covers clocks that differ."""
    pages = support.get_paginator("describe_cases").paginate(
        includeResolvedCases=True,
        includeCommunications=False,
        afterTime=(scope.declared_at - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )
    return [case for page in pages for case in page["cases"] if f"[{scope.incident}]" in case["subject"]]


def _severity(support: Any, severity: Severity, language: str) -> str:
    """Choose a severity that the plan has. A case a little too mild beats none, so an unread list is no failure."""
    try:
        levels = support.describe_severity_levels(language=language)["severityLevels"]
    except support.exceptions.ClientError as error:
        if code_of(error) == _NO_PLAN:
            raise
        levels = []
    offered = {level["code"] for level in levels} or _IN_EVERY_PLAN
    return next((code for code in _WANTED[severity] if code in offered), "low")


def _body(scope: Scope) -> str:
    return (
        f"Incident {scope.incident} ({scope.type}, {scope.severity}), declared {scope.declared_at:%Y-%m-%d %H:%M} UTC, "
        f"affects production workloads in account {scope.environment.account}, region {scope.environment.region}. "
        "Our own diagnosis has found no cause yet. Please tell us of any problem on your side with the services "
        "there, and contact us through this case."
    )


@contextmanager
def _with_a_plan() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if code_of(error) != _NO_PLAN:
            raise
        raise RuleError(
            "this AWS account's support plan has no Support API (it takes Business Support+ or above): "
            "open a case in the console, or by telephone"
        ) from error
