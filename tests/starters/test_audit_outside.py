"""A proof of an archive is checked by `ssh-keygen`, and its hardware keys are looked at more closely than that does."""

import json
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

from domain.values.canonical import digest
from tests.authority.signing import generated, public, signed
from tests.builders import T0
from tests.signed_records import claim, keys, told
from tests.starters.audited import Checks


def verified_outside(
    folder: Path, proof: dict[str, Any], signers: Path, at: str | None = None
) -> subprocess.CompletedProcess[bytes]:
    """What `ssh-keygen -Y verify` says of a proof at a time, by somebody who has files alone."""
    claimed = proof["claim"]
    signature = folder / "claim.sig"
    signature.write_text(proof["signature"])
    text = json.dumps(claimed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    when = (at or claimed["at"]).translate({ord(one): None for one in "-:T"})
    run = ["ssh-keygen", "-Y", "verify", "-f", str(signers), "-I", claimed["by"], "-n", "incident-claim"]
    run += ["-s", str(signature), "-O", f"verify-time={when}"]
    return subprocess.run(run, input=text, capture_output=True, check=False)


def lines_of(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "chain.jsonl").read_text().splitlines()]


def test_ssh_keygen_verifies_a_proof_of_the_archive(check: Checks, tmp_path: Path) -> None:
    """By the archive's `allowed_signers`: in its time, for claims alone, and no other claim."""
    found = check()
    signers = found.folder / "allowed_signers"
    for line in lines_of(found.folder):
        if line["kind"] == "approval":
            proof = line["data"]["proof"]
            good = verified_outside(tmp_path, proof, signers)
            assert good.returncode == 0, good.stderr
            other = {**proof, "claim": {**proof["claim"], "subject": digest("another")}}
            assert verified_outside(tmp_path, other, signers).returncode != 0
            assert verified_outside(tmp_path, proof, signers, "2026-01-01T00:00:00Z").returncode != 0


def test_a_revoked_key_ends_in_allowed_signers_too(check: Checks, tmp_path: Path) -> None:
    """The CEO's key is good until the second before it was revoked."""
    signers = check().folder / "allowed_signers"
    for minute, good in ((-61, True), (-60, False)):
        said = claim("ceo", "note", digest("x"), T0 + timedelta(minutes=minute))
        assert (verified_outside(tmp_path, keys().proof(said), signers).returncode == 0) == good


def test_ssh_keygen_calls_a_token_good_that_nobody_touched(check: Checks, tmp_path: Path) -> None:
    """The archive's program does not, nor does the command."""
    entries = told()
    proof = entries[4]["data"]["proof"]
    text = json.dumps(proof["claim"], sort_keys=True, separators=(",", ":")).encode()
    proof["signature"] = keys().tokens["cto"].signed(text, 0)
    found = check(entries)
    (line,) = [line for line in lines_of(found.folder) if line["seq"] == 5]
    assert verified_outside(tmp_path, line["data"]["proof"], found.folder / "allowed_signers").returncode == 0
    assert (found.good, found.answers[5]) == (False, "wrong")
    assert "was not touched" in found.said


def test_what_was_signed_for_another_purpose_proves_nothing(check: Checks, tmp_path: Path) -> None:
    """A key of somebody's that signs in another namespace, or a key that is not theirs."""
    entries = told()
    proof = entries[3]["data"]["proof"]
    text = json.dumps(proof["claim"], sort_keys=True, separators=(",", ":")).encode()
    stranger = generated(tmp_path, "ed25519")
    for namespace, named in (("file", proof["key"]), ("incident-claim", public(stranger).fingerprint)):
        proof.update(signature=signed(stranger, text, namespace), key=named)
        assert check(entries).answers[4] == "wrong"
