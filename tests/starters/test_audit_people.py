"""An archive proves votes: each is held against the plan that stands before it, and signed by a key of the register."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from authority.enrolment import Enrolled
from authority.register import name_of
from authority.ssh_keys import SK_ED25519
from tests.authority.authenticator import Authenticator
from tests.authority.signing import Token
from tests.builders import T0
from tests.mutated_records import of_kind
from tests.proving import fingerprint, proved, proved_here
from tests.records import INCIDENT, signer
from tests.signed_records import (
    archived,
    classified,
    entry,
    identities,
    keys,
    story,
    told,
)
from tests.starters.audited import Checks
from tests.starters.conftest import Incident

Register = list[dict[str, Any]]
TOLD = [
    (2, "devops-lead", f"requests {INCIDENT}/rollback/1"),
    (4, "technical-manager", f"approves {INCIDENT}/rollback/1"),
    (5, "cto", f"approves {INCIDENT}/rollback/1"),
    (6, "security-lead", f"requests {INCIDENT}/scale-up/1"),
    (8, "cto", f"rejects {INCIDENT}/scale-up/1"),
    (9, "security-lead", "reclassify"),
]


def test_what_is_signed_is_proven(check: Checks) -> None:
    """Requests, votes and what has its proof in its cause; which keys have verified their holder is told."""
    found = check()
    assert found.good, found.said
    assert (found.status, found.json["answer"]) == (0, "proven")
    assert [(one["entry"], one["by"], one["what"]) for one in found.json["acts"]] == TOLD
    assert set(found.answers.values()) == {"proven"}
    assert [one["entry"] for one in found.json["acts"] if one["holder_verified"]] == [5, 8]
    assert found.said.count("has verified who held it") == 2
    first = {"key": keys().name("technical-manager"), "contact": "technical-manager"}
    assert found.json["register"] == {"organisation": "example", "as_of": "2026-12-01T00:00:00Z", "first": first}
    assert f"begins with {first['key']} of technical-manager, which nobody has signed" in found.said


def test_the_register_begins_with_a_key_that_one_knows(incident: Incident, tmp_path: Path) -> None:
    """Named behind the fingerprint: with another one nothing is proven."""
    file, key = archived(tmp_path / "a.zip", told(), identities()), fingerprint(signer().pem)
    with ZipFile(file) as zipped:
        zipped.extractall(tmp_path / "unpacked")
    for who, good in (("technical-manager", True), ("cto", False)):
        found = proved(tmp_path / "unpacked", [key, keys().name(who)])
        assert (found.returncode == 0, "begin with a key that" in found.stderr) == (good, not good)
        named = ("--fingerprint", key, "--first-key", keys().name(who))
        said = incident("audit", "verify", "--file", str(file), *named)
        assert (said.status == 0, "begin with a key that you trust" in said.err) == (good, not good)


def test_in_a_sandbox_only_the_namespace_vouches(check: Checks) -> None:
    """What nobody has signed is told, and is no error there; outside it is one."""
    for kind, answer in (("sandbox", "namespace"), ("staging", "wrong")):
        entries = told()
        entries[0]["data"]["declaration"]["environment"]["kind"] = kind
        for one in entries[1:]:
            one["cause"] = {"command": one["cause"].get("command", "")}
            for name in ("proof", "verified", "requested"):
                one["data"].pop(name, None)
        found = check(entries)
        assert (found.good, found.status) == (kind == "sandbox", int(kind != "sandbox"))
        counted = (2, 4, 5, 6, 8) if kind == "sandbox" else (2, 4, 5, 6, 8, 9)
        assert found.answers == dict.fromkeys(counted, answer)
        assert kind != "sandbox" or "5 namespace: nobody has signed it" in found.said


def test_evidence_begins_by_itself_and_nothing_else(check: Checks) -> None:
    """A request in the orchestrator's name is believed of steps that preserve evidence alone."""
    entries = story()
    asked = {**of_kind(entries, "change-requested")[0], "actor": "orchestrator"}
    asked["data"] = {name: one for name, one in asked["data"].items() if name != "requested"}
    assert check([entries[0], asked]).answers == {2: "wrong"}
    steps = entries[0]["data"]["declaration"]["runbook"]["phases"][0]["steps"]
    next(step for step in steps if step["id"] == "rollback")["evidence"] = True
    found = check([entries[0], asked])
    assert (found.good, found.answers) == (True, {})


def test_a_vote_that_the_record_of_the_hands_knew_is_theirs_to_vouch_for(check: Checks) -> None:
    """A change that was lost is gone on with by their record: when a vote came stands there alone."""
    entries = told()
    entries[3].update(at=T0 + timedelta(days=3), cause={"answer": "changes.outcome"})
    for one in entries[4:]:
        one["at"] += timedelta(minutes=1)
    found = check(entries)
    assert (found.good, found.answers[4]) == (True, "hands")
    assert "only they know when it came" in found.said
    entries[3]["data"]["proof"]["signature"] = entries[4]["data"]["proof"]["signature"]
    assert check(entries).answers[4] == "wrong"


@pytest.mark.parametrize(("method", "public"), [("aws-iam", "arn:aws:iam::123456789012:user/cto"), ("webauthn", None)])
def test_what_cannot_be_looked_at_again_is_for_the_hands(check: Checks, method: str, public: str | None) -> None:
    """STS answers for minutes, and a passkey needs more than openssl: never called proven, wrong where not enrolled."""
    line = public or Authenticator("ES256").line
    entries, register = told(), identities()
    proof = entries[4]["data"]["proof"]
    proof.update(method=method, key=name_of(method, line), signature="{}")  # type: ignore[arg-type]
    entries[4]["data"]["verified"] = {"method": method, "key": proof["key"]}
    assert check(entries).answers[5] == "wrong"
    given: dict[str, Any] = {"contact": "cto", "method": method, "public": line}
    entry_ = Enrolled(by="technical-manager", at=T0 - timedelta(days=1), **given)
    found = check(entries, [*register[:5], keys().entry(entry_, "technical-manager")])
    assert (found.good, found.status, found.answers[5]) == (True, 0, "hands")


def test_a_key_proves_from_when_it_was_enrolled_until_it_was_revoked(check: Checks) -> None:
    """The CEO's key was revoked an hour before; without that entry of the register it would be good."""
    vote = classified(8, "ceo", "P2", "so it is", "P1")
    entries = [*told(), vote]
    assert check(entries).answers[10] == "wrong"
    assert check(entries, identities()[:-1]).answers[10] == "proven"


def test_only_who_may_enrols(check: Checks) -> None:
    """A key that the CTO has enrolled, whose own was enrolled without that right: nothing is proven by the register."""
    late = Enrolled(by="cto", at=T0, contact="ceo", method="ssh", public=Token(SK_ED25519).line)
    found = check(register=[*identities(), keys().entry(late, "cto")])
    assert (found.good, found.json["first"]["kind"]) == (False, "register")
    assert "may not enrol or revoke" in found.said
    assert found.json["first"]["text"].startswith("entry 8 of the register of keys")


def test_what_has_not_counted_is_not_asked_for_a_proof(check: Checks) -> None:
    """A refused command may hold any proof; a vote that came before its plan is dated by when it came."""
    entries = told()
    vote = entries[4]
    early = {
        "command": "approve",
        "given": {"by": "cto", "digest": vote["data"]["digest"], "proof": vote["data"]["proof"]},
    }
    about = {"step": "rollback", "workflow_id": f"{INCIDENT}/rollback/1"}
    refused = entry(
        4, "cto", "refused", {"command": "note", "reason": "no"}, {"command": "note", "proof": {"claim": 1}}
    )
    entries[2:2] = [{**entry(3, "cto", "early", {**about, **early}, {"command": "approve"})}]
    for one in entries[3:]:
        one["at"] += timedelta(days=2)
    entries[-1:] = [refused | {"at": entries[-1]["at"]}]
    found = check(entries)
    assert {number: found.answers[number] for number in (2, 6)} == {2: "proven", 6: "proven"}
    assert (found.answers[5], 10 in found.answers) == ("wrong", False)


def test_entries_of_one_command_hold_one_proof(check: Checks) -> None:
    """Those behind the first name it, and are of its moment; one that counts and does not is a claim used twice."""
    entries = told()
    first = entries[-1]
    more = {**first, "cause": {**first["cause"], "entry": 9}}
    assert check([*entries, more]).answers[10] == "proven"
    assert check([*entries, first]).answers[10] == "wrong"
    later = {**more, "at": more["at"] + timedelta(seconds=1)}
    assert check([*entries, later]).answers[10] == "wrong"


def test_without_a_register_or_ssh_keygen_it_is_unknown_and_never_good(
    check: Checks, incident: Incident, tmp_path: Path
) -> None:
    """An archive that holds no register; a machine without OpenSSH."""
    folder = tmp_path / "bare"
    folder.mkdir()
    file = archived(folder / "a.zip", told())
    with ZipFile(file) as zipped:
        zipped.extractall(folder / "unpacked")
    key = fingerprint(signer().pem)
    good, said = proved_here(folder / "unpacked", key)
    assert not good
    assert "6 unknown: it could not be looked at" in said
    ours = incident("audit", "verify", "--file", str(file), "--fingerprint", key)
    assert ours.status == 1
    assert "6 of what people did could not be looked at" in ours.err
    found = check()
    (tmp_path / "bin").mkdir()
    openssl = subprocess.run(["which", "openssl"], check=True, capture_output=True, text=True).stdout.strip()
    (tmp_path / "bin" / "openssl").symlink_to(openssl)
    os.environ["PATH"], path = str(tmp_path / "bin"), os.environ["PATH"]
    try:
        said_without = proved(found.folder, [key])
    finally:
        os.environ["PATH"] = path
    assert said_without.returncode == 1
    assert "ssh-keygen is not here" in said_without.stderr
