"""The declaration of a drill, by an organisation's files as they stand when it begins."""

import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from activities.action import RuleError
from domain.config.drill import Drills, Exercise, Scenario
from domain.config.environment import Environment
from domain.config.names import unknown
from domain.config.schedule import MAINTENANCE
from domain.model.declaration import Declaration
from domain.model.drill import DrillRun, PrepareCall
from domain.model.events import ORCHESTRATOR
from starters.files.declarable import declarable
from starters.files.drills import DRILLS, load_drills
from starters.files.loading import load_runbook
from starters.files.organisation_folder import load_organisation
from starters.files.scheduled import nominal_of


def refuse_production(environment: Environment) -> None:
    """Raise `RuleError` for production, before anything else is done."""
    if environment.kind == "production":
        raise RuleError(f"{environment.name} is production: drills are for sandboxes and staging")


def prepared(folder: Path, environment: Environment, call: PrepareCall, played: Sequence[str]) -> Declaration:
    """Choose the scenario and make its declaration; `played` are the scenarios of past drills, oldest first.

    The id is set when it starts. Raises `InvalidFile`, and `RuleError` where there is no such scenario.
    """
    run = call.run
    if run.speed != 1 and environment.kind != "sandbox":
        raise RuleError(f"a speed is for sandboxes only; {environment.name} is {environment.kind}")
    organisation = load_organisation(folder)
    scenario = chosen(load_drills(folder), environment, run, played, seed=f"{run.environment} {call.now}")
    if scenario.fault:  # one that stays is seen to by it: that must not be found out then
        load_runbook(folder, MAINTENANCE, organisation, environment)
    return Declaration.model_validate(
        {
            **declarable(folder, scenario.type, environment.name, call.now),
            "incident_id": "drill",
            "title": scenario.title,
            "description": scenario.description,
            "severity": scenario.severity,
            "declared_at": call.now,
            "declared_by": ORCHESTRATOR,
            "phi": scenario.phi,
            "mode": "drill",
            "speed": run.speed,
            "scheduled": run.scheduled and nominal_of(folder, run.scheduled, organisation.timezone),
            "drill": Exercise(scenario=scenario, knew=() if run.by is None else (run.by,)),
        }
    )


def chosen(drills: Drills, environment: Environment, run: DrillRun, played: Iterable[str], *, seed: str) -> Scenario:
    """The scenario that is asked for; else one drawn of those that have not come since all had.

    The last one never comes again at once where there is another.
    """
    possible = {one.id: one for one in drills.scenarios if one.fault is None or one.fault in environment.faults}
    if run.scenario is not None:
        if run.scenario not in possible:
            raise RuleError(
                f"{environment.name} names no function for its fault: add it to the environment's faults"
                if drills.scenario(run.scenario)
                else unknown(run.scenario, [one.id for one in drills.scenarios], "scenario")
            )
        return possible[run.scenario]
    drawn = [one.id for one in possible.values() if run.kind in {None, one.kind}]
    if not drawn:
        kind = f" of kind {run.kind}" if run.kind else ""
        raise RuleError(f"{DRILLS} has no scenario{kind} that {environment.name} has a fault for")
    come: list[str] = []
    for past in played:
        if past in drawn:
            come = [past] if set(come) == set(drawn) else [*come, past]
    fresh = set(drawn) - set(come) or set(drawn) - set(come[-1:]) or set(drawn)
    return possible[random.Random(seed).choice(sorted(fresh))]
