"""Every error class of AWS, met by every action: it leaves with its kind, and is final or not as the table says."""

from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from temporalio.exceptions import ApplicationError

from activities.catalogue import CHANGES, PROBES
from activities.registry import activities
from domain.config.environment import Environment
from domain.model.activity_io import ObserveRequest, PlanRequest
from domain.values.errors import FINAL, ErrorKind
from starters.files.loading import load_runbook
from starters.files.made_recovery import recovery_test
from starters.files.organisation_folder import list_runbooks, load_environment, load_organisation
from starters.files.shipped import shipped_folder
from tests.activities.scopes import NOW, scope
from tests.house import FixedHouse, about, asking
from tests.organisations.folders import HARBOUR

_CODES = {
    "ThrottlingException": ErrorKind.TRANSIENT,
    "InternalError": ErrorKind.TRANSIENT,
    "InvalidDBInstanceState": ErrorKind.WRONG_STATE,
    "ConcurrentUpdateException": ErrorKind.CONFLICT,
    "WAFOptimisticLockException": ErrorKind.CONFLICT,
    "AccessDenied": ErrorKind.ACCESS_DENIED,
    "ExpiredToken": ErrorKind.EXPIRED_CREDENTIALS,
    "ValidationException": ErrorKind.INVALID_REQUEST,
    "SnapshotQuotaExceeded": ErrorKind.QUOTA_EXCEEDED,
    "NeverHeardOfIt": ErrorKind.UNKNOWN,
}


class _Failing:
    """A boto3 client of which every operation is answered with one error code."""

    def __init__(self, code: str) -> None:
        self._code = code

    def __getattr__(self, operation: str) -> Any:
        if operation == "exceptions":
            return _NoneOfThem()

        def fail(**_asked: Any) -> Any:
            raise ClientError({"Error": {"Code": self._code, "Message": "no"}}, operation)

        return fail


class _NoneOfThem:
    """The exception classes of a client: this error is none that anybody catches by its class."""

    def __getattr__(self, name: str) -> type[Exception]:
        return type(name, (Exception,), {})


class _Clients:
    def __init__(self, code: str) -> None:
        self._client = _Failing(code)

    def client(self, _service: str) -> Any:
        return self._client

    once = client


class _Used(NamedTuple):
    """One set of parameters of an action, in the environment whose names they are."""

    params: dict[str, Any]
    environment: Environment


def _used() -> dict[str, _Used]:
    """Every action that a runbook uses, the shipped ones and those of tests; what people are asked for is made up."""
    made_up = {
        "addresses": "198.51.100.9/32",
        "users": "0b3c9f52-6d1e-4f0e-9a57-0d1c2b3a4f5e",
        "alarms": "an-alarm",
        "instance_class": "db.r6g.2xlarge",
        "count": 4,
    }
    found: dict[str, _Used] = {}
    for folder, where in ((shipped_folder(), "sandbox"), (HARBOUR, "docks")):
        organisation, environment = load_organisation(folder), load_environment(folder, where)
        written = [load_runbook(folder, name, organisation, environment) for name in list_runbooks(folder)]
        made = [recovery_test(folder, organisation, environment, "maintenance")] if environment.recovery else []
        for runbook in (*written, *made):
            for step in runbook.steps():
                action = getattr(step, "probe", None) or getattr(step, "change", None)
                if action:
                    asked = {key: made_up[key] for key in getattr(step, "ask", ()) if key in made_up}
                    found.setdefault(action, _Used({**step.params, **asked}, environment))  # type: ignore[union-attr]
    return found


USED = _used()
_NO_AWS = {"http.health"}


@pytest.mark.parametrize("code", sorted(_CODES))
@pytest.mark.parametrize("action", sorted((PROBES.keys() | CHANGES.keys()) & USED.keys() - _NO_AWS))
def test_every_error_has_its_kind_everywhere(action: str, code: str) -> None:
    """Whatever AWS answers the first call with, the activity fails with the table's kind, final or to be retried."""
    verb = "observe" if action in PROBES else "plan"
    params, environment = USED[action]
    made = activities(lambda _queue: _Clients(code), None, FixedHouse(environment))  # type: ignore[arg-type]
    named = {one.__temporal_activity_definition.name: one for functions in made.values() for one in functions}  # type: ignore[attr-defined]
    where = about(scope(environment=environment))
    call: Any = PlanRequest(about=where, step="step", generation=1, params=params, requested_by="devops-lead")
    if verb == "observe":
        call = ObserveRequest(about=where, step="step", params=params, at=NOW + timedelta(minutes=1))
    with pytest.raises(ApplicationError) as failed:
        asking(call).run(named[f"{action}.{verb}"], call)
    kind = _CODES[code]
    assert failed.value.type == kind.value
    first_attempt_is_final = kind in FINAL and kind is not ErrorKind.EXPIRED_CREDENTIALS
    assert failed.value.non_retryable is first_attempt_is_final


def test_every_action_is_used() -> None:
    """No action of the catalogue is left out above: what the shipped runbooks do not use, one of the tests' does."""
    assert PROBES.keys() | CHANGES.keys() <= USED.keys()
