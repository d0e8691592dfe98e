"""Schedules as documents, and as people read them."""

from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.table import Table

from domain.values.durations import spoken
from domain.values.local_time import UNKNOWN, instant
from domain.values.timestamps import stamp, stamp_to_second
from starters.cli import terminal

if TYPE_CHECKING:
    from domain.config.schedule import Schedule
    from domain.values.local_time import Clock
    from starters.client.schedule_rows import Place
    from starters.client.schedules import Plan, Run, Standing

Document = dict[str, Any]


def work(plan: "Plan", *, prune: bool) -> str:
    """What a plan comes to, in numbers; empty if there is nothing to do."""
    removed = len(plan.strange) if prune else 0
    counts = {"new": len(plan.created), "changed": len(plan.changed), "removed": removed}
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count)


def plan_document(plan: "Plan", there: "dict[str, Standing]", place: "Place", *, prune: bool) -> Document:
    """A plan as JSON has it; `removed` is what would be, or was, taken out of Temporal."""
    changed = {id_: [one._asdict() for one in several] for id_, several in plan.changed.items()}
    return {
        "environment": place.environment,
        "zone": place.zone,
        "created": [{"id": id_, "declares": row.declares, "when": row.when()} for id_, row in plan.created.items()],
        "changed": [{"id": id_, "differences": several} for id_, several in changed.items()],
        "unchanged": list(plan.unchanged),
        "not_in_file": list(plan.strange),
        "removed": list(plan.strange) if prune else [],
        "paused": {id_: one.paused for id_, one in there.items() if one.paused},
    }


def planned(plan: "Plan", there: "dict[str, Standing]", place: "Place", *, prune: bool) -> Table:
    """A plan as a table: each schedule, what becomes of it, and what it is or how it differs."""
    title = f"Schedules of {place.environment}, in {place.zone}"
    rows = [[id_, "new", f"{row.declares}: {row.when()}"] for id_, row in plan.created.items()]
    for id_, several in plan.changed.items():
        rows.append([id_, "changed", "\n".join(f"{one.field}: {one.was} → {one.will_be}" for one in several)])
    rows += [[id_, "unchanged", ""] for id_ in plan.unchanged]
    kept = "stands in Temporal and not in the file for this environment"
    rows += [
        [id_, "removed" if prune else "left", kept if prune else f"{kept}; --prune removes it"] for id_ in plan.strange
    ]
    for row in rows:
        if row[0] in there and (why := there[row[0]].paused):
            row[2] = "\n".join(part for part in (row[2], f"stays paused: {why}" if row[1] != "removed" else "") if part)
    return terminal.table(title, "Id", "Will be", "What", rows=rows)


def document(
    id_: str, row: "Schedule | None", there: "Standing | None", plan: "Plan", runs: "Sequence[Run]"
) -> Document:
    """One schedule as JSON has it: as it stands in Temporal, or as the file has it where it is not applied yet."""
    one = there.row if there else row
    info = there.found.info if there else None
    return {
        "id": id_,
        "applied": there is not None,
        "in_file": row is not None,
        "differences": [difference._asdict() for difference in plan.changed.get(id_, [])],
        "declares": one and one.declares,
        "when": one.when() if one else "set by hand: see Temporal",
        "zone": (there.found.schedule.spec.time_zone_name or "UTC") if there else None,
        "catch_up_seconds": one and one.catch_up.total_seconds(),
        "paused": there and there.paused,
        "next_runs": [stamp(at) for at in info.next_action_times] if info else [],
        "last_runs": [
            {
                "due_at": stamp(run.due),
                "began_at": stamp(run.began),
                "workflow_id": run.workflow_id,
                "status": run.status,
            }
            for run in reversed(runs)
        ],
        "runs": info.num_actions if info else 0,
        "missed": {
            "past_catch_up": info.num_actions_missed_catchup_window if info else 0,
            "while_another_ran": info.num_actions_skipped_overlap if info else 0,
        },
    }


def table(title: str, documents: "Sequence[Document]", clock: "Clock") -> RenderableType:
    """What there is: when each comes, its next run in the organisation's zone and in UTC, and its last."""
    rows = [
        [one["id"], "\n".join([*_what(one), *_state(one)]), _next(one, clock), _last(one, clock)] for one in documents
    ]
    columns = ("Id", "What and when", "Next run", "Last run")
    return terminal.table(title, *columns, rows=rows, lines=True) if rows else f"{title}: none"


def shown(one: Document, clock: "Clock") -> list[RenderableType]:
    """One schedule: how it stands, its next times, its last runs."""
    lines = [
        ("What", one["declares"] or "set by hand"),
        ("When", f"{one['when']}, by the clock of {one['zone'] or clock.name}"),
        ("State", "; ".join(_state(one)) or "on"),
        (
            "Caught up",
            f"what was due up to {spoken(timedelta(seconds=one['catch_up_seconds']))} ago"
            if one["catch_up_seconds"]
            else "as Temporal shows",
        ),
        ("Runs", f"{one['runs']}, those by hand among them"),
        ("Missed", _missed(one)),
    ]
    parts: list[RenderableType] = [terminal.folded(f"{name:<11}{terminal.clean(text)}") for name, text in lines]
    upcoming = [[clock(at), stamp_to_second(instant(at)) or UNKNOWN] for at in one["next_runs"]]
    last = [[clock(r["due_at"]), clock(r["began_at"]), r["status"], r["workflow_id"]] for r in one["last_runs"]]
    parts.append(terminal.table("Next", clock.name, "UTC", rows=upcoming) if upcoming else "No next run")
    columns = ("Due", "Began", "Came to", "Workflow")
    parts.append(terminal.table("Last", *columns, rows=last) if last else "No run so far")
    return parts


def _what(one: Document) -> list[str]:
    """What it opens, if a row of the file could say it, and when."""
    return [said for said in (one["declares"], one["when"]) if said]


def _state(one: Document) -> list[str]:
    """What is not as it should be, or not for ever."""
    said = [f"paused: {one['paused']}"] if one["paused"] else []
    if not one["applied"]:
        said.append("not applied yet")
    elif not one["in_file"]:
        said.append("not in the file for this environment")
    elif one["differences"]:
        said.append("not as the file has it")
    if missed := sum(one["missed"].values()):
        said.append(f"{missed} times missed")
    return said


def _next(one: Document, clock: "Clock") -> str:
    """The next run in both zones; a paused schedule has none, whatever Temporal names."""
    if one["paused"] or not one["next_runs"]:
        return ""
    at = instant(one["next_runs"][0])
    if at is None:
        return UNKNOWN
    return f"{at.astimezone(clock.zone):%Y-%m-%d %H:%M}\n{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _last(one: Document, clock: "Clock") -> str:
    if not one["last_runs"]:
        return ""
    run = one["last_runs"][0]
    due = instant(run["due_at"])
    return f"{due.astimezone(clock.zone):%Y-%m-%d %H:%M}\n{run['status']}" if due else f"{UNKNOWN}\n{run['status']}"


def _missed(one: Document) -> str:
    """How many times were left out, and why."""
    missed = one["missed"]
    return (
        f"{missed['past_catch_up']} that Temporal came to too late, "
        f"{missed['while_another_ran']} that came while a run before them had not ended"
    )
