"""EC2's dry runs where moto does not know them: it would do what was only asked about (EC2 API, `DryRun`)."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.ec2.responses import EC2Response

from sandbox.aws.moto_patch import patch

_DONE = ("create_network_acl_entry", "delete_network_acl_entry", "describe_flow_logs")


def install() -> None:
    """Patch moto with these operations; a second time changes nothing."""
    found = {name: getattr(EC2Response, name) for name in _DONE}
    patch(EC2Response, **{name: _asked(call) for name, call in found.items() if not hasattr(call, "__wrapped__")})


def _asked(operation: Callable[[EC2Response], Any]) -> Callable[[EC2Response], Any]:
    @wraps(operation)
    def answered(response: EC2Response) -> Any:
        response.error_on_dryrun()
        return operation(response)

    return answered
