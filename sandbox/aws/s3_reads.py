"""Reading an object of Amazon S3 as AWS lets one: archived, encrypted under a key of its own, locked out of sight."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

from moto.core.responses import ActionResult
from moto.kms.models import kms_backends
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeKey, S3Backend, s3_backends
from moto.s3.responses import S3Response
from moto.s3.utils import _VersionedKeyStore

from sandbox.aws.moto_patch import patch

_get_object = S3Response.get_object
_head_object = S3Response.head_object
_key_response_get = S3Response._key_response_get
_get_object_legal_hold = S3Response.get_object_legal_hold
_list_object_versions = S3Backend.list_object_versions

CUSTOMER = "x-amz-server-side-encryption-customer-algorithm"
_BLIND = "cannot_see_locks"
_WITHHELD = "withheld_keys"


def install() -> None:
    """Patch moto with these operations."""
    patch(
        S3Response,
        get_object=get_object,
        head_object=head_object,
        get_object_legal_hold=get_object_legal_hold,
        _key_response_get=_get,
    )
    patch(S3Backend, list_object_versions=list_object_versions)


def hide_locks(account: str) -> None:
    """Let nobody in the account see locks from now on."""
    vars(s3_backends[account]["aws"])[_BLIND] = True


@contextmanager
def hidden_locks(account: str) -> Iterator[None]:
    """Let nobody in the account have `s3:GetObjectRetention` and `s3:GetObjectLegalHold` meanwhile."""
    backend = vars(s3_backends[account]["aws"])
    backend[_BLIND] = True
    try:
        yield
    finally:
        backend[_BLIND] = False


def withhold(account: str, key: str) -> None:
    """Let nobody in the account decrypt with this KMS key."""
    vars(s3_backends[account]["aws"]).setdefault(_WITHHELD, set()).add(key)


def list_object_versions(backend: S3Backend, bucket_name: str, *, prefix: str = "", **asked: Any) -> Any:
    """List the versions under a prefix: moto copies all that is in a bucket, with its content, for each list."""
    under = _VersionedKeyStore()
    for key, versions in list(backend.get_bucket(bucket_name).keys.iterlists()):
        if versions[0].name.startswith(prefix):
            dict.__setitem__(under, key, versions)
    narrow = SimpleNamespace(get_bucket=lambda _: SimpleNamespace(keys=under))
    return _list_object_versions(narrow, bucket_name, prefix=prefix, **asked)  # type: ignore[arg-type]  # asks no more


def get_object(response: S3Response) -> Any:
    """Read an object; one whose key cannot be used is refused."""
    key = _asked(response)
    if key is not None:
        _refuse_unreadable(response, key)
    return _seen(response, _get_object(response))


def head_object(response: S3Response, *asked: Any, **more: Any) -> Any:
    """Look an object up; its locks are told to those alone who may see them."""
    return _seen(response, _head_object(response, *asked, **more))


def get_object_retention(response: S3Response) -> Any:
    """Read an object's retention, where one may; moto would give the object itself."""
    response.data["Action"] = "GetObjectRetention"
    _refuse_blind(response, "GetObjectRetention")
    key, _ = response._get_key(validate_storage_class=False)
    if not key.lock_mode:
        raise _no_lock()
    found = {"Retention": {"Mode": key.lock_mode, "RetainUntilDate": key.lock_until}}
    return response.serialized(ActionResult(found))


def get_object_legal_hold(response: S3Response) -> Any:
    """Read an object's legal hold, where one may."""
    response.data["Action"] = "GetObjectLegalHold"
    _refuse_blind(response, "GetObjectLegalHold")
    key, _ = response._get_key(validate_storage_class=False)
    if not key.lock_legal_status:
        raise _no_lock()
    return _get_object_legal_hold(response)


def _get(response: S3Response, query: dict[str, Any], key_name: str) -> Any:
    return get_object_retention(response) if "retention" in query else _key_response_get(response, query, key_name)


def _no_lock() -> S3ClientError:
    # S3 API, error responses
    message = "The specified object does not have an ObjectLock configuration"
    return S3ClientError("NoSuchObjectLockConfiguration", message)


def _asked(response: S3Response) -> Any:
    version = response.querystring.get("versionId", [None])[0]
    return response.backend.get_object(response.bucket_name, response.parse_key_name(), version_id=version)


def _refuse_unreadable(response: S3Response, key: FakeKey) -> None:
    if vars(key).get("customer_key") and not response.headers.get(CUSTOMER):
        # S3 guide, "Using server-side encryption with customer-provided keys": without the key a GET fails with 400
        message = "The object was stored using a form of Server Side Encryption, whose parameters must be provided."
        raise S3ClientError("InvalidRequest", message)
    if key.encryption != "aws:kms" or not key.kms_key_id:
        return
    if key.kms_key_id in vars(response.backend).get(_WITHHELD, ()):
        # S3 guide, "Using server-side encryption with AWS KMS keys": reading takes kms:Decrypt on the object's own key
        raise S3ClientError("AccessDenied", "User is not authorized to perform: kms:Decrypt on this resource")
    known = [found for region in kms_backends[key.account_id].values() for found in region.keys.values()]
    if any(key.kms_key_id in (one.id, one.arn) and one.key_state == "Disabled" for one in known):
        # KMS guide, "Enabling and disabling keys": a disabled key cannot be used; S3 answers with KMS's own code
        raise S3ClientError("KMS.DisabledException", f"{key.kms_key_id} is disabled.")


def _seen(response: S3Response, answer: Any) -> Any:
    # S3 GetObject and HeadObject, x-amz-object-lock-mode: "This header is only returned if the requester has the
    # s3:GetObjectRetention permission"; the legal hold's takes s3:GetObjectLegalHold
    if not vars(response.backend).get(_BLIND):
        return answer
    status, headers, body = answer
    return status, {name: value for name, value in headers.items() if "x-amz-object-lock-" not in name.lower()}, body


def _refuse_blind(response: S3Response, operation: str) -> None:
    if vars(response.backend).get(_BLIND):
        raise S3ClientError("AccessDenied", f"User is not authorized to perform: s3:{operation}")
