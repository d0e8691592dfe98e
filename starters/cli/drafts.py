"""Drafts for obligations: the organisation's templates with what is known filled in. People send them."""

from string import Template
from typing import Any

from domain.config.organisation import Organisation
from domain.values.local_time import Clock
from starters.cli import terminal
from starters.errors import RefusedError
from starters.files.loading import load_obligations
from starters.files.organisation_folder import load_organisation
from starters.options import Options


class _Known(dict[str, str]):
    """The known values; any other placeholder becomes a note to fill it in."""

    def __missing__(self, name: str) -> str:
        return f"[to be filled in: {name.replace('_', ' ')}]"


def drafts(options: Options, state: dict[str, Any], step: str) -> dict[str, str]:
    """An obligation's drafts by file name. Raises `RefusedError` if it has not opened or has none."""
    owed = next((owed for owed in state["obligations"] if owed["step"] == step), None)
    if owed is None:
        known = ", ".join(owed["step"] for owed in state["obligations"]) or "none"
        raise RefusedError(f"there is no obligation {step!r} in {state['id']}; its obligations: {known}")
    organisation = load_organisation(options.folder())
    obligation = load_obligations(options.folder(), organisation).obligation(owed["obligation"])
    if obligation is None or not obligation.pack:
        raise RefusedError(f"obligation {step!r} has no drafts; name them under `pack` in obligations.yaml")
    values = _values(state, organisation, terminal.clock(options))
    return {name: _filled(options, name, values) for name in obligation.pack}


def _filled(options: Options, name: str, values: dict[str, str]) -> str:
    file = options.folder() / "templates" / name
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}; write the template that obligations.yaml names") from error
    # safe: a stray `$` in a template must not keep people from their draft
    return Template(text).safe_substitute(_Known(values))


def _values(state: dict[str, Any], organisation: Organisation, clock: Clock) -> dict[str, str]:
    """What the incident knows of what a statement must contain (Privacy Act 1988 s 26WK(3))."""
    facts = {fact["fact"]: clock(fact["value"]) for fact in state["facts"]}
    notes = {task["step"]: task["note"] for task in state["tasks"] if task["status"] == "done" and task["note"]}
    privacy = organisation.contact("privacy-officer")
    mail = next((c.address for c in privacy.channels if c.kind == "email"), None) if privacy else None
    measures = [f"- {change['plan']['summary']}" for change in state["changes"] if change["status"] == "applied"]
    values = {
        "incident": state["id"],
        "entity": organisation.title,
        "contact": mail,
        "discovered": facts.get("suspicion_at") or clock(state["declared_at"]),
        "believed": facts.get("belief_at"),
        "contained": clock(state["mitigated_at"]),
        "kinds_of_information": notes.get("data-types"),
        "scope": notes.get("identify-scope"),
        "affected": notes.get("affected-records"),
        "attack": notes.get("attack-vector"),
        "measures": "\n".join(measures),
    }
    return {name: value for name, value in values.items() if value}
