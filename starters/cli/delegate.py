"""`incident delegate`: who stands in for which role, from when until when."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import phi_warning, terminal
from starters.cli.output import answer
from starters.cli.shared_options import moment, shared, sign_with_option
from starters.errors import RefusedError, UnreachableError
from starters.options import Options

if TYPE_CHECKING:
    from collections.abc import Callable

    from domain.config.delegation import Delegation
    from starters.client.stand_ins import Heard


_REASON_MAX = 500


def _short(_ctx: click.Context, _option: click.Parameter, value: str) -> str:
    if not 0 < len(value) <= _REASON_MAX:
        raise click.UsageError(f"--reason must have 1 to {_REASON_MAX} characters")
    return value


_because = click.option("--reason", required=True, callback=_short, help="Why; no personal information.")


class _RoleFirst(click.Group):
    """A group whose first argument is a role where it is none of its subcommands, which no role is called."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.commands:
            return super().resolve_command(ctx, args)
        return "ROLE", _make, args


@click.group(cls=_RoleFirst, subcommand_metavar="ROLE --to WHO --until TIME --reason WHY | COMMAND")
def delegate() -> None:
    """Have WHO stand in for ROLE: until then they are paged as it too, vote for it, and do what it may do.

    Whoever holds ROLE says so, or a role above it in the chain. It goes into delegations.yaml, signed by you, and to
    every open incident of the environment; run again, it tells those that do not know it yet.
    For example: incident delegate devops-lead --to development-lead --until 2026-11-27T09:00+11:00 --reason leave
    """


@click.command(name="ROLE")
@click.argument("role", metavar="")
@click.option("--to", required=True, metavar="WHO", help="The contact who stands in.")
@click.option("--until", required=True, metavar="TIME", help="Until when, RFC 3339 with an offset; 90 days at most.")
@click.option("--from", "since", metavar="TIME", help="From when on. Default: now.")
@_because
@sign_with_option
@shared
def _make(
    options: Options, role: str, to: str, until: str, since: str | None, reason: str, sign_with: Path | None
) -> None:
    """Have WHO stand in for ROLE from now, or from a time, until another."""
    from domain.config.names import unknown
    from starters.cli.delegations_file import opened
    from starters.client.proving import contact as contact_id

    organisation, environment = options.load_organisation(), options.load_environment()
    if role not in organisation.held():
        raise click.UsageError(unknown(role, organisation.held(), "role"))
    to, by = contact_id(organisation, to), contact_id(organisation, options.by())
    now = datetime.now(UTC).replace(microsecond=0)
    begins, ends = moment(since, "--from"), moment(until, "--until")
    if begins is not None and begins < now:
        raise click.UsageError("--from is in the past: leave it out to begin now")
    said = {"role": role, "to": to, "since": begins or now, "until": ends, "reason": reason, "by": by, "at": now}
    one = _read(said)
    phi_warning.warn([reason], lambda: organisation.model_dump(mode="json"))
    with opened(options, organisation, environment, sign_with) as file:
        standing = file.standing(one, whenever=begins is None)
        if standing is None:
            one = file.add_delegation(one, now)
    made = standing or one
    incidents = _tell(
        options,
        sign_with,
        "delegate",
        {"delegation": made.model_dump(mode="json", exclude_none=True)},
        lambda document: all(known["id"] != made.id for known in document["stand_ins"]),
    )
    clock = terminal.clock(options)
    span = f"from {clock(made.since)} until {clock(made.until)}"
    line = f"{made.id}: {made.to} stands in as {made.role} {span}, beside who holds it"
    _answer(options, _document(made, now), line, file.path, incidents, changed=standing is None)


@delegate.command()
@click.argument("delegation", metavar="ID")
@_because
@sign_with_option
@shared
def end(options: Options, delegation: str, reason: str, sign_with: Path | None) -> None:
    """End delegation ID early. Whoever may make it may end it, and so may the stand-in.

    It goes into delegations.yaml, signed by you, and to every open incident of the environment.
    For example: incident delegate end 3f9a2b1c --reason "back from leave"
    """
    from starters.cli.delegations_file import opened
    from starters.client.proving import contact as contact_id

    organisation, environment = options.load_organisation(), options.load_environment()
    by, now = contact_id(organisation, options.by()), datetime.now(UTC).replace(microsecond=0)
    phi_warning.warn([reason], lambda: organisation.model_dump(mode="json"))
    with opened(options, organisation, environment, sign_with) as file:
        one = file.found(delegation)
        changed = one.ended is None
        if changed:
            file.add_end(one, by, reason, now)
    incidents = _tell(
        options,
        sign_with,
        "end_delegation",
        {"delegation": one.id, "reason": reason},
        lambda document: any(known["id"] == one.id and not known["over"] for known in document["stand_ins"]),
    )
    line = f"{one.id}: {one.to} no longer stands in as {one.role}"
    document = {"id": one.id, "role": one.role, "to": one.to, "by": by}
    _answer(options, document, line, file.path, incidents, changed=changed)


@delegate.command(name="list")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@shared
def list_(options: Options, everything: bool) -> None:
    """List who stands in for whom, now or later, and what of the file counts for nothing."""
    from authority.delegations import judged
    from starters.files.delegations import load_delegations
    from starters.files.identities import load_identities

    organisation, now = options.load_organisation(), datetime.now(UTC)
    unsigned = options.environment is not None and options.load_environment().kind == "sandbox"
    register = load_identities(options.folder(), organisation.id)
    entries = load_delegations(options.folder(), organisation.id, register)
    found = judged(entries, organisation, register, unsigned=unsigned)
    rows = [_document(one.delegation, now, one.why) for one in found]
    shown = [row for row in rows if everything or row["stands"] != "over"]
    clock = terminal.clock(options)

    def cells(row: dict[str, Any]) -> list[Any]:
        stands = f"{row['stands']}\n{row['counts_for_nothing'] or ''}".strip()
        span = f"{clock(row['since'])}\n{clock(row['ended'] or row['until'])}"
        return [row["id"], row["to"], row["role"], span, f"{row['by']}: {row['reason']}", stands]

    columns = ("Id", "Who", "Stands in as", "From and until", "By, and why", "In force")
    table = terminal.table(f"Stand-ins of {organisation.title}", *columns, rows=map(cells, shown), lines=True)
    terminal.answer(options, {"delegations": shown}, lambda: [table if shown else "Nobody stands in for anybody"])


def _read(said: dict[str, Any]) -> "Delegation":
    from pydantic import ValidationError

    from domain.config.delegation import Delegation

    try:
        return Delegation.model_validate(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{'from' if first['loc'][0] == 'since' else first['loc'][0]}: " if first["loc"] else ""
        raise click.UsageError(f"{where}{first['msg'].removeprefix('Value error, ')}") from error


def _tell(
    options: Options,
    key: Path | None,
    name: str,
    payload: dict[str, Any],
    concerned: "Callable[[dict[str, Any]], bool]",
) -> "list[Heard]":
    """Tell every open incident of the environment; that none can be reached is said, as the file is written."""
    from starters.client import stand_ins
    from starters.client.connection import run
    from starters.client.proving import Signing

    said = {"by": options.by(), **payload}
    environment = options.named_environment()
    try:
        return run(stand_ins.tell, Signing(options, key), environment, name, said, concerned)
    except UnreachableError as error:
        raise UnreachableError(
            f"the file is written, but open incidents could not be told: {error.message}; then run it again"
        ) from error


def _answer(
    options: Options, document: dict[str, Any], line: str, file: Path, incidents: "list[Heard]", *, changed: bool
) -> None:
    """Say what was written and who was told. Raises `RefusedError` where an incident was not."""
    lines = [line]
    for incident, told, reason in incidents:
        lines.append(f"{incident}: {reason or 'told'}" if told else f"{incident}: not told: {reason}")
    if changed:
        lines.append(f"Next: commit {file}, and give it to the workers")
    document = {**document, "file": str(file), "changed": changed, "incidents": [one._asdict() for one in incidents]}
    answer(options, document, "\n".join(lines))
    if lost := sum(not one.told for one in incidents):
        raise RefusedError(f"{lost} of {len(incidents)} open incidents were not told: run it again")


def _document(one: "Delegation", now: datetime, why: str | None = None) -> dict[str, Any]:
    said = {"id": one.id, "role": one.role, "to": one.to, "by": one.by, "reason": one.reason}
    times = {name: stamp_to_second(getattr(one, name)) for name in ("since", "until", "ended", "at")}
    stands = "over" if one.ends <= now else "to come" if now < one.since else "now"
    return {
        **said,
        **times,
        "stands": stands if why is None or stands == "over" else "never",
        "counts_for_nothing": why,
    }
