"""The files that are made of an environment: a policy each, and the stack."""

import json
from pathlib import Path

from activities import local_files
from activities.permissions.roles import RECOVERY, roles
from deploy.policies import stack
from deploy.policies.documents import (
    boundary,
    bucket_policy,
    codec_policy,
    control_policy,
    key_policy,
    policy,
    recovery_boundary,
    trust_policy,
)
from domain.config.environment import Environment
from domain.values.ids import DIAGNOSE_QUEUE, FORENSICS_QUEUE, REMEDIATE_QUEUE
from starters.files.organisation_folder import load_environment
from starters.files.shipped import shipped_folder

DEPLOY = Path(__file__).parents[1]

Files = dict[Path, str]


def shipped() -> Files:
    """What is kept in this repository: for the sandbox, the one environment that is filled in."""
    environment = load_environment(shipped_folder(), "sandbox")
    return made(environment, DEPLOY / "iam", DEPLOY / "aws" / "stack.yaml")


def made(environment: Environment, folder: Path, template: Path) -> Files:
    """By path, what stands in each file. A role without rights has no policy."""
    restores = environment.recovery is not None
    documents = {role: policy(role, environment) for role in roles() if role != RECOVERY or restores}
    documents |= {
        "codec": codec_policy(environment),
        "permissions-boundary": boundary(),
        "service-control-policy": control_policy(environment),
        "trust": trust_policy(environment, DIAGNOSE_QUEUE),
        "trust-changes": trust_policy(environment, f"{REMEDIATE_QUEUE}-ecs"),
        "trust-forensics": trust_policy(environment, FORENSICS_QUEUE),
    }
    if restores:
        documents["recovery-boundary"] = recovery_boundary(environment)
    if environment.evidence:
        documents["evidence-bucket"] = bucket_policy(environment, environment.evidence.bucket)
        documents["evidence-key"] = key_policy(environment)
        documents["signing-key"] = key_policy(environment, signs=True)
        if forensics := environment.evidence.snapshots:
            documents["snapshot-key"] = key_policy(environment, shared_with=forensics.account)
    said = {name: document for name, document in documents.items() if document["Statement"]}
    written = {folder / f"{name}.json": json.dumps(document, indent=2) + "\n" for name, document in said.items()}
    templates = {template: stack.text(environment)}
    templates[template.with_name("preflight.yaml")] = stack.preflight_text(environment)
    if restores:
        templates[template.with_name("recovery.yaml")] = stack.recovery_text(environment)
    return {**written, **templates}


def write(files: Files) -> None:
    """Write them all, and remove the policies of roles that are no more."""
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        local_files.write(path, text.encode(), keep_mode=True)
    folders = {path.parent for path in files if path.suffix == ".json"}
    for left in {found for folder in folders for found in folder.glob("*.json")} - files.keys():
        left.unlink()
