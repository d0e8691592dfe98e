"""What is ours: resources that no change may isolate or stop."""

from collections.abc import Iterable

from activities.action import RuleError
from domain.config.environment import Environment


def refuse_protected(environment: Environment, resources: Iterable[str]) -> None:
    """Raise `RuleError` when one of the resources (ids, names or ARNs) is protected by the environment.

    An id in the one and its ARN in the other are the same resource.
    """
    for resource in resources:
        for shielded in environment.protected.resources:
            if _names(resource) & _names(shielded):
                raise RuleError(f"{resource} is protected: environment {environment.name} names it as ours")


def _names(resource: str) -> set[str]:
    """An ARN as it is and by the id at its end; anything else as it is."""
    parts = resource.split(":", 5)
    if parts[0] != "arn" or len(parts) < 6:
        return {resource}
    return {resource, parts[5].split("/", 1)[-1]}
