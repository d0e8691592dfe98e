"""The recovery test of an environment: each source restored by an approved change, read, and removed again."""

from datetime import timedelta
from pathlib import Path

from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.recovery import COPIES
from domain.config.runbook import ChangeStep, Phase, Runbook, TaskStep
from domain.values.severity import Severity
from starters.files.problems import InvalidFile, Problem

RECOVERY_TEST = "recovery-test"


def recovery_test(folder: Path, organisation: Organisation, where: Environment, opens: str) -> Runbook:
    """Ask for each restore, for the removal of what it made, and for the owner's word on the numbers.

    Raises `InvalidFile` for an environment whose file has no `recovery`.
    """
    if where.recovery is None:
        file = folder / "environments" / f"{where.name}.yaml"
        remedy = (
            f"{where.name} has no recovery, so there is no place to restore in: add it, or take {RECOVERY_TEST} off it"
        )
        raise InvalidFile([Problem(file, None, "recovery", remedy)])
    owner = (organisation.on_call or organisation.chain)[0]
    targets = organisation.recovery
    steps: list[ChangeStep | TaskStep] = []
    for name in where.recovery.sources:
        restore, title = f"restore-{name}", f"Restore the newest snapshot of {name}"
        given = {"database": name, "point": _seconds(targets.point), "time": _seconds(targets.time)}
        steps += [
            ChangeStep(id=restore, change="rds.restore_test", title=title, **{"with": given}),
            TaskStep(
                id=f"ask-{name}",
                task=f"Ask for {restore} (incident change ID {restore}), have it approved, and see what it measured",
                owner=owner,
                due="14d",
                opens=opens,
                key=f"recovery:{where.name}:{name}",
            ),
            TaskStep(
                id=f"remove-{name}",
                task=f"Remove {COPIES}…-{name}, the copy of {name}'s data in {where.name}",
                owner=owner,
                due="1d",
                until_undone=restore,
            ),
        ]
    sign = TaskStep(
        id="sign-off", task="Sign off what was measured, and what is to be mended", owner=owner, due="21d", noted=True
    )
    return Runbook(
        id=RECOVERY_TEST,
        title=f"Recovery test in {where.name}",
        version="1",
        severities=(Severity.P3,),
        owner=owner,
        on_call=(owner,),
        phases=(Phase(id="recovery", title="Recovery", steps=(*steps, sign)),),
    )


def _seconds(duration: timedelta) -> str:
    return f"{round(duration.total_seconds())}s"
