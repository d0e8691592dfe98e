"""The index of a compliance pack, for somebody who has never heard of this program."""

from collections.abc import Iterator, Mapping
from typing import Any

from domain.values.local_time import Clock
from domain.values.periods import Period
from reporting.content.blocks import Block, Heading, Items, Table
from reporting.formats.html import html
from reporting.formats.markdown import markdown
from reporting.statistics.page import READ_SO, tables
from reporting.statistics.tally import Stats

Rows = list[dict[str, Any]]

_FILES = (
    "incidents/: the record of each incident, entry by entry, and the signatures over it",
    "incidents.json, drills.json, upkeep.json, duties.json, people.json, statistics.json: the tables of this page",
    "contents.json: every file with its SHA-256; contents.signature.json: the signature over that list",
    "verify.py: a program that checks all of it, and needs nothing but Python and openssl; README.md says how",
)


def pages(blocks: list[Block], environment: str, period: Period) -> dict[str, str]:
    """The index as a page and as plain text, by the names of the files."""
    return {
        "index.html": html(blocks, f"Compliance pack of {environment}, {period.name}") + "\n",
        "index.md": markdown(blocks) + "\n",
    }


def blocks(
    environment: str, period: Period, clock: Clock, found: Mapping[str, Any], statistics: Stats
) -> Iterator[Block]:
    """What is in the pack; times are written by `clock`."""
    incidents, broken = found["incidents"], [row for row in found["incidents"] if row["flaw"]]
    missed = [row for row in found["duties"] if row["missed"]]
    yield Heading(1, f"Compliance pack of {environment}, {period.name}")
    yield (
        f"Everything on record of the days from {period.first} to {period.last}: each incident, drill and piece of "
        f"upkeep that was open then, as the record has it. Times are those of {clock.name}."
    )
    yield Items(
        [
            f"Records: {len(incidents)}; intact: {len(incidents) - len(broken)}",
            f"Drills: {len(found['drills'])}; reviews, validations and checks: {len(found['upkeep'])}",
            f"Duties to notify: {len(found['duties'])}; missed: {len(missed)}",
            f"Changes of people and keys: {len(found['people'])}",
        ]
    )
    yield Items(list(_FILES))
    yield from _incidents(incidents, clock)
    yield Heading(2, "Statistics")
    yield "Of what was declared in the period."
    yield from tables(statistics, level=3)
    yield Items(list(READ_SO))
    yield from _drills(found["drills"], clock)
    yield from _upkeep(found["upkeep"], clock)
    yield from _duties(found["duties"], clock)
    yield from _people(found["people"], clock)


def _incidents(rows: Rows, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Records")
    yield "Intact is a record of which each entry follows from the one before it, up to a signature that is valid."
    told = [
        [
            row["incident"],
            row.get("title", ""),
            row.get("type", ""),
            row.get("severity", ""),
            row.get("mode", ""),
            clock(row.get("declared_at")),
            row.get("status", ""),
            row["flaw"] or "intact",
        ]
        for row in rows
    ]
    columns = ["Incident", "Title", "Type", "Severity", "Mode", "Declared", "Status", "Record"]
    yield Table(columns, told, {number: "bad" for number, row in enumerate(rows) if row["flaw"]})


def _drills(rows: Rows, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Drills")
    if not rows:
        yield "There was none."
        return
    told = [
        [
            row["incident"],
            row["title"],
            clock(row["declared_at"]),
            clock(row["acknowledged_at"]) or "nobody acknowledged",
            _score(row),
            ", ".join(row["breached"]) or "none",
            ", ".join(map(clock, row["missed"])),
        ]
        for row in rows
    ]
    columns = ["Incident", "Title", "Declared", "Acknowledged", "Score", "Deadlines missed", "Runs missed before it"]
    yield Table(columns, told, {number: "bad" for number, row in enumerate(rows) if row["breached"] or row["missed"]})


def _score(row: Mapping[str, Any]) -> str:
    """Its verdict and how many points are met; of what was opened beside a drill how it stands."""
    points = row["points"]
    return f"{row['verdict']}, {sum(one['met'] for one in points)} of {len(points)}" if points else row["status"]


def _upkeep(rows: Rows, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Reviews, validations and checks")
    if not rows:
        yield "There was none."
    for row in rows:
        yield Heading(3, f"{row['title']} ({row['incident']})")
        missed = f" Runs missed before it: {', '.join(map(clock, row['missed']))}." if row["missed"] else ""
        opened = f" It opened {', '.join(row['opened'])}." if row["opened"] else ""
        yield f"Begun {clock(row['declared_at'])}, {row['status']}.{missed}{opened}"
        done = [[one["step"], one["status"], clock.in_text(one["summary"])] for one in row["findings"]]
        if done:
            yield Table(["What was looked at", "Found", "What"], done)
        tasks = [
            [one["title"], one["owner"], one["status"], one["by"] or "", clock(one["at"]), one["note"] or ""]
            for one in row["tasks"]
        ]
        if tasks:
            bad = {number: "bad" for number, one in enumerate(row["tasks"]) if one["status"] == "missed"}
            yield Table(["Task", "For", "Status", "By", "At", "Note"], tasks, bad)


def _duties(rows: Rows, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "Duties to notify")
    if not rows:
        yield "None began."
        return
    told = [
        [
            row["incident"],
            row["obligation"],
            clock(row["due_at"]),
            "missed" if row["missed"] else "kept" if row["done_at"] else "open",
            row["state"],
            clock(row["done_at"]),
            row["reference"] or "",
        ]
        for row in rows
    ]
    columns = ["Incident", "Duty", "Due", "Deadline", "State", "Done", "Reference"]
    yield Table(columns, told, {number: "bad" for number, row in enumerate(rows) if row["missed"]})


def _people(rows: Rows, clock: Clock) -> Iterator[Block]:
    yield Heading(2, "People and keys")
    if not rows:
        yield "Nothing was seen to change between two declarations."
        return
    yield "What was seen to have changed, by the first incident that was declared with it."
    yield Table(["Seen at", "Incident", "What"], [[clock(row["at"]), row["incident"], row["what"]] for row in rows])
