"""`incident runbook actions --proven`: when each action was last seen to do what it should."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from domain.rules.proving import GOOD_FOR, Proof, Proven, proven
from domain.values.timestamps import stamp
from starters.cli import terminal
from starters.cli.output import print_json
from starters.client import recorded_incidents
from starters.options import Options

if TYPE_CHECKING:
    from activities.ledger.incidents import Unreadable


def show(options: Options, kinds: Mapping[str, str]) -> None:
    """Print each of these actions, by name and kind, with its latest proofs; and the changes that cannot be tried.

    Ends as other reports of the ledger do; raises `InvalidFile` for a folder that cannot be read.
    """
    from starters.files.trials import trials

    where = options.load_environment()
    changes = [name for name, kind in kinds.items() if kind == "change"]
    barred = trials(options.folder(), options.load_organisation(), where, changes).barred
    now, unreadable = datetime.now(UTC), list["Unreadable"]()
    found = proven(recorded_incidents.incidents(options, unreadable))
    known = {name: found.get(name, Proven()) for name in kinds}
    if options.as_json:
        rows = [_document(name, kinds[name], one, now, barred.get(name)) for name, one in known.items()]
        print_json({"environment": options.named_environment(), "at": stamp(now), "actions": rows})
    else:
        _print(options, known, now)
        if barred:
            told = [terminal.folded(f"  {name}  {why}") for name, why in barred.items()]
            terminal.show(f"Cannot be tried in {where.name} by `declares: trials`:", *told)
    recorded_incidents.refuse(unreadable)


def _document(name: str, kind: str, known: Proven, now: datetime, barred: str | None) -> dict[str, Any]:
    told = {"proven": known.did, "undone": known.undid}
    at = {f"{what}_at": stamp(one.at) if one else None for what, one in told.items()}
    where = {f"{what}_in": one.incident if one else None for what, one in told.items()}
    return {"name": name, "kind": kind, **at, **where, "flagged": known.expired(now), "cannot_be_tried": barred}


def _print(options: Options, known: Mapping[str, Proven], now: datetime) -> None:
    clock, days = terminal.clock(options), GOOD_FOR.days

    def day(proof: Proof | None) -> str:
        return clock(proof.at)[:10] if proof else ""

    def cells(name: str, one: Proven) -> list[str]:
        proven = ("! " if one.expired(now) else "") + (day(one.did) or "never")
        return [name, proven, day(one.undid), one.did.incident if one.did else ""]

    columns = ("Action", "Proven", "Undone", "Incident")
    due = sum(one.expired(now) for one in known.values())
    terminal.show(
        terminal.table(
            f"Proven in {options.named_environment()}", *columns, rows=(cells(*one) for one in known.items())
        ),
        f"{due} of {len(known)} are to be tried (!): not proven for {days} days, or never.",
    )
