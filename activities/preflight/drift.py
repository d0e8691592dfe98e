"""Preflight as a probe: whether what an environment's file names is still there, looked at without anybody asking."""

from collections.abc import Iterable, Mapping

from activities.preflight.check import Row
from domain.model.finding import Finding, FindingStatus

LOOKS = "preflight"
"""The name of the looks themselves among what is wrong."""


def finding(rows: Iterable[Row], places: Mapping[str, str]) -> Finding:
    """What the rows of preflight come to: suspect if anything is missing or wrong, unknown if anything was not read.

    Where most looks could not look, that is what is wrong.

    `places` are where targets stand in the organisation's files, by their names: file and line.
    """
    seen = list(rows)
    wrong = [row for row in seen if row.status in {"missing", "wrong"}]
    unread = [row for row in seen if row.status == "unknown"]
    said: dict[str, list[str]] = {}
    for row in wrong:
        said.setdefault(row.target, []).append(f"{row.check} {row.status}: {row.detail}")
    status = FindingStatus.SUSPECT if wrong else FindingStatus.UNKNOWN if unread or not seen else FindingStatus.OK
    told = f"{len(wrong)} of {len(seen)} looks found something missing or wrong, {len(unread)} could not look"
    if 2 * len(unread) > len(seen):
        said[LOOKS] = [f"{len(unread)} of {len(seen)} could not look, such as {next(iter(_told(unread)))}"]
    names = ", ".join(dict.fromkeys(row.target for row in wrong))
    return Finding(
        status=status,
        summary=f"{told}: {names}" if names else told,
        facts={"looks": len(seen), "wrong": len(wrong), "unread": len(unread), "not_read": [*_told(unread)]},
        wrong={name: ": ".join(filter(None, (places.get(name), "; ".join(parts)))) for name, parts in said.items()},
    )


def _told(rows: Iterable[Row]) -> Iterable[str]:
    return (f"{row.check} {row.target}: {row.detail}" for row in rows)
