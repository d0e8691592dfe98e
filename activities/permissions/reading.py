"""What of the roles' rights only reads: the most that a dry run's sessions are given."""

import json
from functools import cache

from activities.aws.shared.reading import reads
from activities.permissions.dependents import with_dependents
from activities.permissions.roles import permissions_of, queue_of, roles


@cache
def reading_policy(role: str) -> str:
    """The session policy that leaves a role what it reads (STS API AssumeRole, Policy), in 2,048 characters at most.

    What a queue's role does for others of the queue that have none of their own is in it too. A session may do what its
    role's policies and this one both allow, so it widens nothing. Raises `KeyError` for a role that does not exist.
    """
    acting = [role, *(one for one in roles() if queue_of(one) == role)]
    allowed = {action for one in acting for action in with_dependents(permissions_of(one))}
    split = [one.split(":", 1) for one in allowed]
    kept = sorted({f"{service}:{start}*" for service, name in split if (start := reads(name))})
    said = {"Effect": "Allow", "Action": kept, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [said]}, separators=(",", ":"))
