"""How probes put what they saw."""

from typing import Any

from domain.model.finding import Finding, FindingStatus


def suspect_if(
    suspect: Any, summary: str, facts: dict[str, Any], evidence: str | None = None, *, unsure: Any = False
) -> Finding:
    """Something wrong, or all well; where nothing is seen to be wrong but one is `unsure`, it is unknown."""
    if unsure and not suspect:
        return unknown(summary, facts, evidence)
    status = FindingStatus.SUSPECT if suspect else FindingStatus.OK
    return Finding(status=status, summary=summary, facts=facts, evidence=evidence)


def plural(number: int, noun: str) -> str:
    """A number of things: `1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def unknown(summary: str, facts: dict[str, Any], evidence: str | None = None) -> Finding:
    """Neither: what would tell was not there. Never taken for all well."""
    return Finding(status=FindingStatus.UNKNOWN, summary=summary, facts=facts, evidence=evidence)
