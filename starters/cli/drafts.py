"""Drafts for obligations and tasks: the organisation's templates with what is known filled in. People send them."""

from collections.abc import Iterable
from string import Template
from typing import Any

from domain.config.organisation import Contact, Organisation
from domain.config.runbook import steps
from domain.rules.messages import DRILL
from domain.values.local_time import Clock
from starters.cli import terminal
from starters.errors import RefusedError
from starters.files.loading import load_obligations
from starters.files.yaml_lines import read
from starters.options import Options

_HAD_AN_EFFECT = {"applied", "partly-applied"}


class _Known(dict[str, str]):
    """The known values; any other placeholder becomes a note to fill it in."""

    def __missing__(self, name: str) -> str:
        return f"[to be filled in: {name.replace('_', ' ')}]"


def drafts(options: Options, state: dict[str, Any], step: str) -> dict[str, str]:
    """A step's drafts by file name. Raises `RefusedError` if it has not opened or has none."""
    organisation = options.load_organisation()
    if owed := next((owed for owed in state["obligations"] if owed["step"] == step), None):
        obligation = load_obligations(options.folder(), organisation).obligation(owed["obligation"])
        pack, owner = (obligation.pack, obligation.owner) if obligation else ((), "")
    elif any(task["step"] == step for task in state["tasks"]):
        file = options.folder() / f"{state['type']}.yaml"
        runbook = read(file).data if file.exists() else {}  # of upkeep that the program makes there is none
        task = next((task for _, task in steps(runbook) if task.get("id") == step), {})
        pack, owner = task.get("pack", ()), str(task.get("owner"))
    else:
        known = ", ".join(one["step"] for one in [*state["obligations"], *state["tasks"]]) or "none"
        raise RefusedError(f"there is no obligation or task {step!r} in {state['id']}; there are: {known}")
    if not pack:
        raise RefusedError(f"{step!r} has no drafts; name them under its `pack`")
    return _drafts(options, state, pack, organisation, owner)


def _drafts(
    options: Options, state: dict[str, Any], pack: Iterable[str], organisation: Organisation, owner: str
) -> dict[str, str]:
    values = _values(state, organisation, organisation.contact(owner), terminal.clock(options))
    drafts = {name: _filled(options, name, values) for name in pack}
    return {name: f"{DRILL}\n\n{text}" for name, text in drafts.items()} if state["mode"] == "drill" else drafts


def _filled(options: Options, name: str, values: dict[str, str | None]) -> str:
    file = options.folder() / "templates" / name
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}; write the template that `pack` names") from error
    # safe: a stray `$` in a template must not keep people from their draft
    return Template(text).safe_substitute(_Known({name: value for name, value in values.items() if value}))


def _measure(change: dict[str, Any]) -> str:
    in_part = " (in part)" if change["status"] == "partly-applied" else ""
    return f"{change['plan']['summary']}{in_part}"


def _values(
    state: dict[str, Any], organisation: Organisation, owner: Contact | None, clock: Clock
) -> dict[str, str | None]:
    """What the incident knows: its facts by id, the notes of done tasks by step, and more.

    A step `attack-vector` is `$attack_vector` in a template.
    """
    facts = {fact["fact"]: clock(fact["value"]) for fact in state["facts"]}
    notes = {task["step"].replace("-", "_"): task["note"] for task in state["tasks"] if task["status"] == "done"}
    measures = [f"- {_measure(change)}" for change in state["changes"] if change["status"] in _HAD_AN_EFFECT]
    mail = next((channel.address for channel in owner.mail_first() if channel.kind == "email"), None) if owner else None
    moments = {name: clock(state[f"{name}_at"]) for name in ("declared", "mitigated") if state[f"{name}_at"]}
    known = {"incident": state["id"], "entity": organisation.title, "contact": mail, "measures": "\n".join(measures)}
    return {**facts, **notes, **moments, **known}
