import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from activities.aws.identity.cloudtrail_privilege_changes import PrivilegeChanges, PrivilegeChangesParams
from activities.aws.identity.rights_events import LOOKUPS
from activities.aws.shared.error_mapping import kind_of
from domain.model.finding import Finding, FindingStatus
from domain.values.errors import ErrorKind
from sandbox.aws import cloudtrail
from tests.activities.aws_calls import RecordedAws
from tests.activities.scopes import ACCOUNT, REGION, scope

BAD = "198.51.100.61"
IAM_USER = {"type": "IAMUser", "arn": f"arn:aws:iam::{ACCOUNT}:user/jane.doe"}
SAML = {"type": "SAMLUser", "principalId": "JANE:doe", "userName": "jane.doe", "identityProvider": "example"}
CENTER = {
    "type": "IdentityCenterUser",
    "accountId": ACCOUNT,
    "onBehalfOf": {"userId": "jane-1", "identityStoreArn": "a"},
}
OTHER = "210987654321"


@pytest.fixture
def aws() -> Iterator[RecordedAws]:
    with mock_aws():
        cloudtrail.install()
        yield RecordedAws()


@pytest.fixture
def paces(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the probe waited between look-ups; nobody waits."""
    waited: list[float] = []
    monkeypatch.setattr("activities.aws.shared.pages.time.sleep", waited.append)
    return waited


def changed(name: str = "CreateAccessKey", source: str = "iam", region: str = "us-east-1", **changes: Any) -> None:
    event = {
        "eventID": f"{name}-{region}",
        "eventName": name,
        "eventSource": f"{source}.amazonaws.com",
        "eventTime": f"{datetime.now(UTC) - timedelta(minutes=5):%Y-%m-%dT%H:%M:%SZ}",
        "userIdentity": IAM_USER,
        "sourceIPAddress": BAD,
    }
    cloudtrail.record(ACCOUNT, region, event | changes)


def look(aws: RecordedAws, **params: Any) -> Finding:
    asked = PrivilegeChangesParams.model_validate(params)
    return PrivilegeChanges(aws).observe(scope(), asked, datetime.now(UTC))


def test_every_source_is_asked_at_two_look_ups_a_second(aws: RecordedAws) -> None:
    """CloudTrail throttles whoever asks faster, and takes one attribute a look-up."""
    for region in ("us-east-1", REGION):
        cloudtrail.slow(ACCOUNT, region)
    changed("ListUsers")
    assert look(aws).status is FindingStatus.OK
    asked = [one["LookupAttributes"][0]["AttributeValue"] for one in aws.sent("LookupEvents")]
    assert (asked, len(asked)) == ([one.value for one in LOOKUPS], 20)


@pytest.mark.parametrize(
    ("name", "source", "region", "changes"),
    [
        ("CreateAccessKey", "iam", "us-east-1", {}),
        ("CreateSAMLProvider", "iam", "us-east-1", {"userIdentity": SAML}),
        ("CreateAccountAssignment", "sso", REGION, {"userIdentity": CENTER}),
        ("AddMemberToGroup", "sso-directory", REGION, {"userIdentity": CENTER}),
        ("CreateTrustAnchor", "rolesanywhere", REGION, {"userIdentity": {"type": "Root", "accountId": ACCOUNT}}),
        ("CreateResourceShare", "ram", REGION, {"userIdentity": None}),
        ("ModifyDBSnapshotAttribute", "rds", REGION, {"requestParameters": {"valuesToAdd": ["all"]}}),
        ("ModifySnapshotAttribute", "ec2", REGION, {"requestParameters": {"add": {"items": [{"userId": OTHER}]}}}),
        ("PutKeyPolicy", "kms", REGION, {"requestParameters": {"policy": '{"Principal": {"AWS": "*"}}'}}),
        ("CreateGrant", "kms", REGION, {"requestParameters": {"granteePrincipal": f"arn:aws:iam::{OTHER}:root"}}),
        ("AddPermission", "sqs", REGION, {"requestParameters": {"aWSAccountIds": [OTHER], "actions": ["SendMessage"]}}),
    ],
)
def test_whoever_gives_rights_is_seen(
    aws: RecordedAws, paces: list[float], name: str, source: str, region: str, changes: dict[str, Any]
) -> None:
    """In IAM and past it, whatever kind of identity did it, and without telling whose it is."""
    changed(name, source, region, **changes)
    finding = look(aws)
    assert finding.status is FindingStatus.SUSPECT
    assert [one["event"] for one in finding.facts["events"]] == [name]
    assert "jane" not in json.dumps(finding.model_dump(mode="json"))


def test_what_stays_within_the_account_is_not_told(aws: RecordedAws, paces: list[float]) -> None:
    """A key policy for a role of our own is everyday work."""
    changed("PutKeyPolicy", "kms", REGION, requestParameters={"policy": f"arn:aws:iam::{ACCOUNT}:role/portal"})
    changed("PutBucketPolicy", "s3", REGION, errorCode="AccessDenied", requestParameters=None)
    changed("PutBucketPolicy", "s3", REGION, requestParameters={"bucketPolicy": {"Statement": [{"Resource": "*"}]}})
    changed("CreateGrant", "kms", REGION, requestParameters={"granteePrincipal": "dynamodb.us-west-2.amazonaws.com"})
    ids = {"keyId": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-123456789012"}
    volume = {"encryptionContextSubset": {"aws:ebs:id": "vol-0a123456789012bcd"}}
    changed("CreateGrant", "kms", REGION, requestParameters={**ids, "constraints": volume})
    changed("SetQueueAttributes", "sqs", REGION, requestParameters={"attributes": {"VisibilityTimeout": "100"}})
    changed("PutBucketAcl", "s3", REGION, requestParameters=acl({"URI": f"{GROUPS}/s3/LogDelivery"}))
    changed("PutBucketAcl", "s3", REGION, requestParameters={"x-amz-acl": ["private"]})
    assert look(aws).status is FindingStatus.OK


GROUPS = "http://acs.amazonaws.com/groups"


def acl(*grantees: dict[str, Any], owner: str | None = "ours") -> dict[str, Any]:
    """An ACL of a bucket that gives rights to these, and to its owner, whom CloudTrail need not name."""
    granted = [{"Grantee": one, "Permission": "READ"} for one in ({"ID": "ours"}, *grantees)]
    policy: dict[str, Any] = {"AccessControlList": {"Grant": granted}} | ({"Owner": {"ID": owner}} if owner else {})
    return {"bucketName": "axis", "AccessControlPolicy": policy}


INDENTED = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}}]}, indent=4)


@pytest.mark.parametrize(
    ("name", "source", "parameters"),
    [
        ("PutKeyPolicy", "kms", {"policy": INDENTED}),
        ("PutBucketPolicy", "s3", {"bucketPolicy": {"Statement": {"Principal": {"Service": "x", "AWS": "*"}}}}),
        ("PutBucketPolicy", "s3", {"bucketPolicy": {"Principal": {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", "*"]}}}),
        ("PutBucketPolicy", "s3", {"bucketPolicy": {"Principal": {"CanonicalUser": "79a59df900b949e5"}}}),
        ("AddPermission20150331v2", "lambda", {"principal": "*", "action": "lambda:InvokeFunction"}),
        ("PutResourcePolicy", "secretsmanager", {"secretId": "s", "resourcePolicy": INDENTED}),
        ("SetRepositoryPolicy", "ecr", {"repositoryName": "axis", "policyText": INDENTED}),
        ("SetTopicAttributes", "sns", {"attributeName": "Policy", "attributeValue": INDENTED}),
        ("SetQueueAttributes", "sqs", {"attributes": {"Policy": INDENTED}}),
        ("PutBucketAcl", "s3", {"acl": [""], "x-amz-acl": ["public-read"]}),
        ("PutBucketAcl", "s3", {"x-amz-grant-read": ['id="79a59df900b949e5"']}),
        ("PutBucketAcl", "s3", acl({"URI": f"{GROUPS}/global/AuthenticatedUsers"})),
        ("PutBucketAcl", "s3", acl({"ID": "another"})),
        ("ModifyDBSnapshotAttribute", "rds", {"valuesToAdd": [ACCOUNT, "all"]}),
        ("ModifyImageAttribute", "ec2", {"launchPermission": {"add": {"items": [{"group": "all"}]}}}),
    ],
)
def test_everybody_is_seen_however_it_is_written(
    aws: RecordedAws, paces: list[float], name: str, source: str, parameters: dict[str, Any]
) -> None:
    """Consoles indent policies, keys stand in any order, and Lambda writes its principal small."""
    changed(name, source, REGION, requestParameters=parameters)
    assert look(aws).facts["changes"] == 1


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("PutBucketPolicy", None),
        ("PutBucketPolicy", {"omitted": True, "originalSize": 204800, "reason": "too large"}),
        ("PutResourcePolicy", {"content": "HIDDEN_DUE_TO_SECURITY_REASONS"}),
        ("PutResourcePolicy", {"secretId": "s"}),
        ("PutBucketAcl", acl(owner=None)),
    ],
)
def test_what_cloudtrail_left_out_is_not_taken_for_well(
    aws: RecordedAws, paces: list[float], name: str, said: dict[str, Any] | None
) -> None:
    """Whom a policy lets in stands in the request alone (CloudTrail user guide, "CloudTrail record contents")."""
    changed(name, "s3", REGION, requestParameters=said)
    finding = look(aws)
    assert (finding.status, finding.facts["unread"]) == (FindingStatus.UNKNOWN, 1)


@pytest.mark.parametrize("nothing", ["userIdentity", "sourceIPAddress", "requestParameters"])
def test_a_null_field_spoils_nothing(aws: RecordedAws, paces: list[float], nothing: str) -> None:
    """Real records have nulls where others have a value."""
    nulls: dict[str, Any] = {nothing: None}
    changed(**nulls)
    changed("CreateUser")
    assert look(aws).facts["changes"] == 2


def test_expected_and_refused_changes_are_not_suspect(aws: RecordedAws, paces: list[float]) -> None:
    """The delivery pipeline's own changes raise no alarm, and what AWS refused did not happen."""
    changed(userIdentity={"type": "AssumedRole", "arn": f"arn:aws:iam::{ACCOUNT}:role/release"})
    changed("CreateUser", errorCode="AccessDenied")
    finding = look(aws, expected=["arn:aws:iam::*:role/release"])
    assert finding.status is FindingStatus.OK
    assert (finding.facts["expected"], finding.facts["refused"]) == (1, 1)


@pytest.mark.parametrize(
    ("address", "words"),
    [(BAD, BAD), ("cloudformation.amazonaws.com", "cloudformation.amazonaws.com"), ("Jo Example's laptop", None)],
)
def test_where_a_change_came_from_is_an_address_or_a_service(
    aws: RecordedAws, paces: list[float], address: str, words: str | None
) -> None:
    """Whatever else stands there is not told."""
    changed(sourceIPAddress=address)
    assert look(aws).facts["events"][0]["address"] == words


@pytest.mark.parametrize(
    ("code", "kind"),
    [("ThrottlingException", ErrorKind.TRANSIENT), ("InvalidTimeRangeException", ErrorKind.INVALID_REQUEST)],
)
def test_a_history_that_does_not_answer_is_an_error_of_its_kind(
    aws: RecordedAws, paces: list[float], code: str, kind: ErrorKind
) -> None:
    """The event history throttled, or asked wrongly, is no finding."""
    aws.fail("LookupEvents", code)
    with pytest.raises(ClientError) as failed:
        look(aws)
    assert kind_of(failed.value) is kind


def test_the_search_ends(aws: RecordedAws, paces: list[float]) -> None:
    """After 50 pages the probe stops within its time and says that there is more."""
    aws.answer("LookupEvents", lambda _: {"Events": [], "NextToken": "more"})
    finding = look(aws)
    assert (finding.status, finding.facts["truncated"]) == (FindingStatus.UNKNOWN, True)
    assert len(aws.sent("LookupEvents")) <= 52
    assert sum(paces) < 30
