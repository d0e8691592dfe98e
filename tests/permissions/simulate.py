"""Try every cell of the matrix with iam-simulate: conditions, the boundary, and what else bounds the roles.

`python -m tests.permissions.simulate`, after `npm ci` in tests/permissions/node. Nothing is sent anywhere. It also
holds what `iam-data` proposes as dependents against what was chosen.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from activities.permissions.dependents import DEPENDENTS
from activities.permissions.roles import PREFLIGHT, RECOVERY, changes, roles
from activities.permissions.statements import granted, role_name
from deploy.policies.documents import (
    Document,
    boundary,
    bucket_policy,
    control_policy,
    key_policy,
    recovery_boundary,
    trust_policy,
)
from domain.config.environment import Environment
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE
from tests.permissions.matrix import Cell, cells, environment_key, policy_of
from tests.permissions.resources import CODEC_KEY
from tests.permissions.unmade import UNMADE

NODE = Path(__file__).parent / "node"
_ALLOWED = "Allowed"
_AFTER_A_COLON = "kms:EncryptionContext:", "aws:PrincipalTag/"
"""iam-simulate knows the variable part of a condition key after a slash alone: KMS's is tried under such a name."""


class Simulation:
    """The policies by name, each once, and the requests that refer to them."""

    def __init__(self) -> None:
        self.policies: dict[str, Document] = {}
        self.requests: list[dict[str, Any]] = []

    def ask(self, cell: Cell) -> None:
        """Ask for a cell, with everything that bounds its role."""
        request, environment = cell.request, cell.request.environment
        place = environment_key(environment)
        principal = environment.arn("iam", f"role/{role_name(cell.role, environment)}")
        own, rights = self._own(cell, place), policy_of(cell)
        self.requests.append(
            {
                "action": request.action,
                "resource": request.resource,
                "account": environment.account,
                "principal": principal,
                "context": {**dict(request.context), "aws:PrincipalArn": principal, "aws:SecureTransport": "true"},
                "identity": [self._named(f"{cell.role} in {place}", rights)] if rights["Statement"] else [],
                "boundary": self._boundary(cell.role, environment),
                "control": [self._named(f"control in {place}", control_policy(environment))],
                "own": own,
            }
        )

    def _boundary(self, role: str, environment: Environment) -> list[str]:
        """What bounds a role in its stack: the common boundary, one of its own, or none."""
        if role == PREFLIGHT:
            return []
        if role == RECOVERY:
            return [self._named(f"boundary in {environment_key(environment)}", recovery_boundary(environment))]
        return [self._named("boundary", boundary())]

    def _named(self, name: str, document: Document) -> str:
        self.policies.setdefault(name, document)
        return name

    def _own(self, cell: Cell, place: str) -> str | None:
        """The policy that the resource itself has."""
        kind, environment = cell.request.kind, cell.request.environment
        if kind == CODEC_KEY:  # nothing of ours makes it: it has the policy that KMS gives a key
            own = {"Effect": "Allow", "Principal": {"AWS": environment.arn("iam", "root")}}
            default = {"Version": "2012-10-17", "Statement": [{**own, "Action": "kms:*", "Resource": "*"}]}
            return self._named(f"{kind} in {place}", default)
        if kind.endswith(" key"):
            forensics = environment.evidence.snapshots if environment.evidence and kind == "snapshot key" else None
            own = key_policy(
                environment, signs=kind == "signing key", shared_with=forensics.account if forensics else None
            )
            return self._named(f"{kind} in {place}", own)
        if kind.startswith("evidence bucket") and environment.evidence:
            return self._named(f"bucket in {place}", bucket_policy(environment, environment.evidence.bucket))
        if kind not in {"one of our roles", "the role of evidence"}:
            return None
        says_for_whom = cell.request.action in {"sts:SetSourceIdentity", "sts:TagSession"}  # asked of those alone
        role = next(filter(changes, roles())) if says_for_whom else DIAGNOSE_QUEUE
        if kind == "the role of evidence":
            role = FORENSICS_QUEUE
        return self._named(f"trust of {role} in {place}", trust_policy(environment, role))

    def run(self) -> list[str]:
        """A verdict for each request, in order. Raises `CalledProcessError` where Node fails."""
        given = json.dumps({"policies": self.policies, "requests": self.requests})
        return list(node("simulate.mjs", json.loads(given.replace(*_AFTER_A_COLON))))


def node(script: str, given: Any) -> Any:
    """What a script makes of a document. Raises `CalledProcessError` where Node fails."""
    done = subprocess.run(
        ["node", script], cwd=NODE, input=json.dumps(given), text=True, check=True, capture_output=True
    )
    return json.loads(done.stdout)


def undecided() -> list[str]:
    """What iam-data proposes to grant with our actions, and nobody has taken or refused."""
    return [
        f"{action} -> {dependent}: take or refuse it in activities/permissions/dependents.py"
        for action, proposed in node("dependents.mjs", granted()).items()
        for dependent in proposed
        if action not in DEPENDENTS or dependent not in {*DEPENDENTS[action].taken, *DEPENDENTS[action].refused}
    ]


def tried() -> list[Cell]:
    """The cells that can be tried: those whose calls the plays make."""
    return [cell for cell in cells() if (cell.role, cell.request.action) not in UNMADE]


def differing(asked: list[Cell]) -> list[str]:
    """What the simulator finds otherwise than it must be."""
    simulation = Simulation()
    for cell in asked:
        simulation.ask(cell)
    verdicts = simulation.run()
    return [
        f"{cell}: {verdict}"
        for cell, verdict in zip(asked, verdicts, strict=True)
        if (verdict == _ALLOWED) != cell.allowed or verdict.startswith("error")
    ]


def main() -> int:
    asked = tried()
    found = [*differing(asked), *undecided()]
    told = f"iam-simulate: {len(asked)} requests under their roles and all others, {len(found)} not as they must be"
    sys.stdout.write("\n  ".join([told, *found]) + "\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
