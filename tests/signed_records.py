"""A record in which people have signed what they did, the register of their keys, and archives of both."""

import json
import secrets
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from functools import cache, partial
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from typing import Any
from zipfile import ZipFile

from authority.claims import Claim
from authority.enrolment import Enrolled, Revoked
from authority.proofs import Proof
from authority.register import name_of
from authority.ssh_keys import SK_ED25519, SK_P256
from domain.audit.storage_format import StoredCopy
from domain.model.acts import ACTS, of_request, subject
from domain.model.timeline import Timeline
from domain.values.timestamps import stamp_to_second
from reporting.archive import record_files
from starters.archives import archive_file
from starters.archives.kept_register import IDENTITIES, SIGNERS, KeptRegister
from tests.activities.scopes import environment
from tests.authority.signing import TOUCHED, TOUCHED_AND_VERIFIED, Token, generated, signed
from tests.builders import T0, declaration, minutes
from tests.domain.changing import plan
from tests.records import ARN, INCIDENT, items, signer

HOME, WHERE = "example", "production"
LONG_AGO = T0 - timedelta(days=90)
AS_OF = "2026-12-01T00:00:00Z"
Sign = Callable[..., str]


class Keys:
    """Each contact's key: of `ssh-keygen`, in a file, or a token; the CTO's says that it has verified who holds it."""

    def __init__(self) -> None:
        folder = Path(mkdtemp())
        self.lines: dict[str, str] = {}
        self.signs: dict[str, Sign] = {}
        for who, kind, bits in (
            ("technical-manager", "ed25519", 0),
            ("security-lead", "rsa", 3072),
            ("ceo", "ecdsa", 256),
        ):
            file = generated(folder, kind, bits)
            self.lines[who] = file.with_name(f"{file.name}.pub").read_text().strip()
            self.signs[who] = partial(signed, file)
        self.tokens = {"cto": Token(SK_ED25519), "devops-lead": Token(SK_P256), "privacy-officer": Token(SK_P256)}
        for who, flags in (("cto", TOUCHED_AND_VERIFIED), ("devops-lead", TOUCHED), ("privacy-officer", TOUCHED)):
            self.lines[who] = self.tokens[who].line
            self.signs[who] = partial(self.tokens[who].signed, flags=flags)

    def name(self, who: str) -> str:
        return name_of("ssh", self.lines[who])

    def proof(self, claim: dict[str, Any], who: str | None = None) -> dict[str, Any]:
        """A claim with its proof, as it goes on record; by another's key where `who` is named."""
        by = who or claim["by"]
        signature = self.signs[by](Claim.model_validate(claim).canonical())
        return {"claim": claim, "method": "ssh", "key": self.name(by), "signature": signature}

    def entry(self, entry: Enrolled | Revoked, by: str | None = None) -> dict[str, Any]:
        """An entry of the register, signed by the technical manager unless it is the first."""
        if by is not None:
            made = self.proof(entry.claim(HOME).model_dump(mode="json"), by)
            entry = entry.model_copy(update={"proof": Proof.model_validate({**made, "claim": None})})
        return entry.model_dump(mode="json")

    def identities(self) -> list[dict[str, Any]]:
        """The technical manager begins; the CEO's key was revoked an hour before the incident."""
        first = "technical-manager"
        made = []
        for who in (first, "cto", "devops-lead", "security-lead", "ceo", "privacy-officer"):
            given: dict[str, Any] = {"contact": who, "method": "ssh", "public": self.lines[who], "enrols": who == first}
            made.append(self.entry(Enrolled(by=first, at=LONG_AGO, **given), None if who == first else first))
        gone = T0 - timedelta(hours=1)
        return [*made, self.entry(Revoked(by=first, at=T0, key=self.name("ceo"), until=gone), first)]


@cache
def keys() -> Keys:
    """Made once."""
    return Keys()


@cache
def _identities() -> str:
    return json.dumps(keys().identities())


def identities() -> list[dict[str, Any]]:
    """The register's entries, to be altered."""
    found: list[dict[str, Any]] = json.loads(_identities())
    return found


def claim(by: str, act: str, subject: str, at: datetime, **fields: Any) -> dict[str, Any]:
    """What somebody claims; `fields` replace those that would be right."""
    expires, nonce = stamp_to_second(at + timedelta(hours=24)), secrets.token_hex(16)
    about = {"organisation": HOME, "environment": WHERE, "incident": INCIDENT, "step": None, "generation": None}
    said = {"act": act, "subject": subject, "decision": "", "by": by, "at": stamp_to_second(at)}
    made = {"v": 1, **about, **said, "expires": expires, "nonce": nonce}
    return {**made, **fields}


def verified(proof: dict[str, Any], *, holder: bool = False) -> dict[str, Any]:
    said = {"method": proof["method"], "key": proof["key"]}
    return {**said, "holder_verified": True} if holder else said


Entries = list[dict[str, Any]]


def entry(minute: float, actor: str, kind: str, data: dict[str, Any], cause: dict[str, Any]) -> dict[str, Any]:
    return {"at": T0 + minutes(minute), "actor": actor, "kind": kind, "text": kind, "data": data, "cause": cause}


def requested(minute: float, by: str, step: str, given: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """A request of a change with its proof."""
    said = claim(by, "request", of_request(step, given), T0 + minutes(minute), step=step)
    asked = {"proof": keys().proof(said), **({"given": given} if given else {})}
    data = {"step": step, "workflow_id": f"{INCIDENT}/{step}/{number}", "generation": number, "action": "test.rollback"}
    data |= {"title": step, "params": {"service": "backend", **given}, "requested": asked}
    return entry(minute, by, "change-requested", data, {"command": "request_change", "given": {"step": step}})


def planned(minute: float, step: str, **changes: Any) -> dict[str, Any]:
    made = plan(**changes)
    data: dict[str, Any] = {"step": step, "workflow_id": f"{INCIDENT}/{step}/1"}
    data["plan"] = made.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return entry(minute, "orchestrator", "plan", data, {"answer": "plan"})


def voted(minute: float, by: str, step: str, decision: str, on: str, **fields: Any) -> dict[str, Any]:
    """A vote with its proof; `fields` replace those of its claim."""
    said = claim(by, decision, on, T0 + minutes(minute), **{"step": step, "generation": 1, **fields})
    proof = keys().proof(said)
    data: dict[str, Any] = {"step": step, "workflow_id": f"{INCIDENT}/{step}/1", "role": by, "decision": decision}
    data |= {"digest": on} if decision == "approve" else {}
    data |= {"verified": verified(proof, holder=by == "cto"), "proof": proof}
    return entry(minute, by, "approval", data, {"command": decision})


def commanded(
    minute: float, by: str, kind: str, data: dict[str, Any], name: str, given: dict[str, Any]
) -> dict[str, Any]:
    """Something that somebody did by a command whose cause holds the proof."""
    said = claim(by, ACTS[name], subject(name, given), T0 + minutes(minute), step=given.get("step"))
    return entry(minute, by, kind, data, {"command": name, "given": given, "proof": keys().proof(said)})


def classified(minute: float, by: str, to: str, reason: str, before: str = "P0") -> dict[str, Any]:
    """A severity that somebody has given."""
    data = {"from": before, "to": to, "reason": reason}
    return commanded(minute, by, "severity", data, "reclassify", {"severity": to, "reason": reason})


def story(**declared: Any) -> Entries:
    """A rollback that two approve, a change of size that one rejects, and a severity: each signed."""
    where = environment(kind="production")
    begun = declaration(incident_id=INCIDENT, environment=where, **declared).model_dump(mode="json", by_alias=True)
    sized: dict[str, Any] = {"context": {"ratio": 1e-07, "ü": [True, None, 0.1]}, "after": {"count": 12345678901}}
    sized["before"] = {"count": 2}
    rolled = plan()
    return [
        entry(0, "devops-lead", "declared", {"declaration": begun}, {"command": "start"}),
        requested(1, "devops-lead", "rollback", {}),
        planned(2, "rollback"),
        voted(3, "technical-manager", "rollback", "approve", rolled.digest),
        voted(3, "cto", "rollback", "approve", rolled.digest),
        requested(4, "security-lead", "scale-up", {"count": 1.5}),
        planned(5, "scale-up", **sized),
        voted(6, "cto", "scale-up", "reject", plan(**sized).digest),
        classified(7, "security-lead", "P1", "half of them", "P2"),
    ]


@cache
def _story() -> Entries:
    return story()


def told() -> Entries:
    """The story, to be altered."""
    return deepcopy(_story())


def stored(entries: Entries) -> StoredCopy:
    """A record of these entries, chained and signed to its end as the ledger's own."""
    chain = Timeline()
    for one in entries:
        chain.append(**one)
    return StoredCopy(INCIDENT, {1: items(chain.entries)}, {}, [signer().seal(chain.entries[-1])])


def archived(file: Path, entries: Entries, register: list[dict[str, Any]] | None = None) -> Path:
    """Write an archive of a record and a register, whatever is wrong with them, with a manifest of what is in it."""
    packed = archive_file.pack(stored(entries), {ARN: signer().pem}, None, AS_OF)
    with ZipFile(BytesIO(packed)) as zipped:
        files = {name: zipped.read(name).decode() for name in zipped.namelist()}
    if register is not None:
        good = _kept(identities())
        said = json.loads(good[IDENTITIES])
        try:
            signers = _kept(register)[SIGNERS]
        except ValueError:  # one that does not hold has none
            signers = good[SIGNERS]
        files |= {IDENTITIES: record_files.as_json({**said, "entries": register}), SIGNERS: signers}
    return rewritten(file, files)


def _kept(register: list[dict[str, Any]]) -> dict[str, str]:
    return KeptRegister.model_validate({"organisation": HOME, "as_of": AS_OF, "entries": register}).files()


def rewritten(file: Path, files: dict[str, str]) -> Path:
    """Write an archive whose manifest is of these files."""
    name = archive_file.MANIFEST
    manifest = json.loads(files[name])
    manifest["sha256"] = record_files.hashes({one: text for one, text in files.items() if one != name})
    file.write_bytes(record_files.zipped({**files, name: record_files.as_json(manifest)}))
    return file
