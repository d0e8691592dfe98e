"""The recovery test of an environment: each source restored by an approved change, read, and removed again.

Where it has a replica that an application can be led to, its promotion is rehearsed, and the replica made anew.
"""

from datetime import timedelta
from pathlib import Path

from activities.aws.database.rds_promote_replica import PromoteParams
from domain.config.environment import Environment
from domain.config.organisation import Organisation
from domain.config.recovery import COPIES
from domain.config.runbook import ChangeStep, Phase, Runbook, TaskStep, made
from starters.files.problems import InvalidFile, Problem

RECOVERY_TEST = "recovery-test"


def recovery_test(folder: Path, organisation: Organisation, where: Environment, opens: str) -> Runbook:
    """Ask for each restore and promotion, for the removal of what it made, and for the owner's word on the numbers.

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
    for name, endpoint in _rehearsed(where).items():
        steps += _promotion(name, endpoint, targets.time, where, owner, opens)
    sign = TaskStep(
        id="sign-off", task="Sign off what was measured, and what is to be mended", owner=owner, due="21d", noted=True
    )
    phase = Phase(id="recovery", title="Recovery", steps=(*steps, sign))
    return made(RECOVERY_TEST, f"Recovery test in {where.name}", (owner,), phase)


def _rehearsed(where: Environment) -> dict[str, str]:
    """Each replica that can be promoted in an environment, with the endpoint that leads to its primary."""
    if PromoteParams.model_fields["fence"].default not in where.security_groups:
        return {}
    return {name: of for name, of in where.replicas.items() if of in where.database_endpoints}


def _promotion(
    name: str, endpoint: str, within: timedelta, where: Environment, owner: str, opens: str
) -> list[ChangeStep | TaskStep]:
    """Ask for the promotion of a replica as in an incident, and for the replica that it costs to be made anew."""
    promote, renew = f"promote-{name}", f"renew-{name}"
    given = {"replica": name, "endpoint": endpoint}
    return [
        ChangeStep(
            id=promote,
            change="rds.promote_replica",
            title=f"Promote {name} as if its primary were lost",
            ask=("primary_is_lost",),
            **{"with": given},
        ),
        TaskStep(
            id=f"ask-{promote}",
            task=f"Ask for {promote} (incident change ID {promote} --set primary_is_lost='rehearsal: …')",
            owner=owner,
            due="14d",
            opens=opens,
            key=f"recovery:{where.name}:{promote}",
        ),
        ChangeStep(
            id=renew,
            change="rds.renew_replica",
            title=f"Make {name} a replica again",
            **{"with": given | {"time": _seconds(within)}},
        ),
        TaskStep(
            id=f"put-back-{name}",
            task=f"Ask for {renew} (incident change ID {renew}), have it approved, and see what the promotion took",
            owner=owner,
            due="1d",
            until_undone=promote,
            undone_by=renew,
        ),
    ]


def _seconds(duration: timedelta) -> str:
    return f"{round(duration.total_seconds())}s"
