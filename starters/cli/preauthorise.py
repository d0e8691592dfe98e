"""`incident preauthorise`: what may begin by itself in a P0, and the signatures under it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from domain.values.timestamps import stamp_to_second
from starters.cli import terminal
from starters.cli.output import answer, print_json
from starters.cli.shared_options import shared, sign_with_option
from starters.options import Options

if TYPE_CHECKING:
    from datetime import datetime

    from authority.preauthorisations import Standing
    from starters.files.kept import Document

_GIVE = "give"


class _Spoken(click.Group):
    """`preauthorise TYPE STEP …` gives one; the other words are commands of their own."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            args = [_GIVE, *args]
        return super().resolve_command(ctx, args)


yes_option = click.option("--yes", is_flag=True, help="Sign without being asked, such as where there is no terminal.")


@click.group(cls=_Spoken, subcommand_metavar="TYPE STEP [OPTIONS] | sign | list | revoke")
def preauthorise() -> None:
    """Let one change begin by itself in a P0, before anybody has acknowledged, within bounds and for 90 days at most.

    Whoever holds a role of preauthorisers (organisation.yaml) offers it, and another of each role signs it: then it is
    in force. For example:

    incident preauthorise data-breach isolate-network --until 2027-02-20T00:00:00Z --reason "a breach at night" --as cto

    incident preauthorise sign 4be1 --as compliance-officer
    """


@preauthorise.command(name=_GIVE, hidden=True)
@click.argument("type_", metavar="TYPE")
@click.argument("step")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="What the step asks for; repeatable.")
@click.option("--most", type=click.IntRange(1, 50), default=1, show_default=True, help="How often it may be used.")
@click.option("--from", "since", metavar="TIME", help="From when on. Default: now.")
@click.option("--until", required=True, metavar="TIME", help="When it ends, in 90 days at most.")
@click.option("--reason", required=True, help="Why it may begin before anybody has looked.")
@yes_option
@sign_with_option
@shared
def give(options: Options, **given: Any) -> None:
    """Offer it, with your own signature: it is shown, and you are asked.

    For example: incident preauthorise data-breach block-addresses --set addresses=198.51.100.7 --most 3
    --until 2027-02-20T00:00:00Z --reason "known scanners" --environment production --as cto
    """
    from starters.cli import preauthorise_signing

    document = preauthorise_signing.offer(options, **given)
    answer(options, document, preauthorise_signing.said(document))


@preauthorise.command()
@click.argument("id_", metavar="ID")
@yes_option
@sign_with_option
@shared
def sign(options: Options, id_: str, yes: bool, sign_with: Path | None) -> None:
    """Sign the pre-authorisation ID, named by the beginning of its digest: it is shown, and you are asked.

    Compare its four words with whoever else signs it. For example: incident preauthorise sign 4be1 --as cto
    """
    from starters.cli import preauthorise_signing

    document = preauthorise_signing.sign(options, id_, yes=yes, key=sign_with)
    answer(options, document, preauthorise_signing.said(document))


@preauthorise.command()
@click.argument("id_", metavar="ID")
@click.option("--reason", required=True, help="Why it is not to be used any more.")
@sign_with_option
@shared
def revoke(options: Options, id_: str, reason: str, sign_with: Path | None) -> None:
    """Revoke the pre-authorisation ID for good; any holder of a role of preauthorisers may. Commit the file at once.

    For example: incident preauthorise revoke 4be1 --reason "the scanners have gone" --as cto
    """
    from starters.cli import preauthorise_signing

    document = preauthorise_signing.revoke(options, id_, reason, sign_with)
    answer(options, document, preauthorise_signing.said(document))


@preauthorise.command(name="list")
@click.option("--uses", is_flag=True, help="How often each was used, as the environment's ledger has it.")
@shared
def list_(options: Options, uses: bool) -> None:
    """List every pre-authorisation: what it allows, until when, who has signed it and who has not, and its state."""
    from datetime import UTC, datetime

    from starters.cli.preauthorise_signing import given, used
    from starters.files.preauthorisations import standing_in

    found = standing_in(options.folder(), options.load_organisation())
    counted, now = used(options) if uses else {}, datetime.now(UTC)
    documents = [row(one, now) | ({"uses": counted.get(one.digest, 0)} if uses else {}) for one in found]
    if options.as_json:
        print_json(documents)
        return
    clock = terminal.clock(options)
    columns = ("Id", "What", "Where", "With", "At most", "Until", "Signed by", "State", *(("Used",) if uses else ()))
    rows = [_cells(one, given(one["set"]), clock(one["until"]), uses=uses) for one in documents]
    terminal.show(terminal.table(f"Pre-authorisations in {options.folder()}", *columns, rows=rows, lines=True))


def _cells(one: "Document", given: str, until: str, *, uses: bool) -> "list[Any]":
    signed = ", ".join(each["by"] for each in one["signed"]) or "nobody"
    cells = [
        one["id"],
        f"{one['type']} {one['step']}",
        one["environment"],
        given,
        one["most"],
        until,
        signed,
        one["state"],
    ]
    return [*cells, *([one["uses"]] if uses else [])]


def row(one: "Standing", now: "datetime") -> "Document":
    """One of them as JSON: what it says, who has signed it, whose signature it lacks, and its state."""
    why = one.refusal(now)
    signed = [{"by": each.claim.by, "at": stamp_to_second(each.claim.at), "key": each.key} for each in one.signed]
    state = {"state": "in force" if why is None else why, "in_force": why is None}
    said = {**one.terms.model_dump(mode="json"), "signed": signed, "lacking": [*one.lacking]}
    return {"id": one.digest[:12], "digest": one.digest, **said, **state}
