"""Recompute the record in this folder, or each record of a pack. Needs Python 3.9 or newer and openssl, nothing else.

Usage: python3 verify.py FOLDER FINGERPRINT..., the SHA-256 of each key that you trust. Without one, as with an error,
the exit status is 1: what stands here is then at best consistent with itself. A record's first error ends its check.

Of an archive it looks at each vote and each request too, and `ssh-keygen` checks the signatures of people. What begins
with `SHA256:` is the fingerprint of the first key of their register, as the organisation has told you.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reporting.archive.verify_claims import UNREADABLE, UnknownError, WrongError, canonical
from reporting.archive.verify_votes import look

Entries = list[dict[str, Any]]


def chains(folder: Path) -> tuple[dict[tuple[int, int], str], Entries]:
    """Check that each entry's hash matches its content, and that it holds the hash of the entry before it."""
    entries: Entries = []
    marks = json.loads((folder / "epochs.json").read_text(encoding="utf-8"))
    hashes = {(0, 0): "0" * 64}
    # `chain.jsonl` first, by its length: later epochs fork from it
    for file in sorted(folder.glob("chain*.jsonl"), key=lambda file: (len(file.name), file.name)):
        epoch = int(file.stem.partition("-")[2] or 1)
        mark = marks.get(str(epoch), {"after": 0, "prev": "0" * 64})
        number, before = int(mark["after"]), mark["prev"]
        if not any(seq == number and known == before for (_, seq), known in hashes.items()):
            sys.exit(f"epoch {epoch} does not follow from any entry {number}")
        for line in file.read_bytes().splitlines():
            number += 1
            entry = json.loads(line)
            found = hashlib.sha256(canonical({name: one for name, one in entry.items() if name != "hash"})).hexdigest()
            if (entry["seq"], entry["prev"], entry["hash"]) != (number, before, found) or canonical(entry) != line:
                sys.exit(f"entry {number} of epoch {epoch} is not as it was written, or one before it is missing")
            hashes[epoch, number] = before = found
            entries.append(entry)
    return hashes, entries


def is_signed(seal: dict[str, str], message: bytes, key: Path) -> bool:
    """Check the signature with openssl."""
    with tempfile.TemporaryDirectory() as scratch:
        signature = Path(scratch, "signature")
        signature.write_bytes(base64.b64decode(seal["signature"]))
        command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
        checked = subprocess.run(command, input=message, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    return checked.returncode == 0


def seals(folder: Path, hashes: dict[tuple[int, int], str], keys: dict[str, Path]) -> dict[int, int]:
    """Check each signed head and that its entry has the signed hash. Returns how far each epoch is signed."""
    reach: dict[int, int] = {}
    for file in sorted(folder.glob("ledger/**/*.json*")):
        seal = json.loads(file.read_text(encoding="utf-8"))
        body = seal["body"]
        if seal["key"] not in keys or not is_signed(seal, canonical(body), keys[seal["key"]]):
            sys.exit(f"the signature of {file} is not valid, or not by a key that is trusted")
        if hashes.get((body["epoch"], body["seq"])) != body["head"]:
            sys.exit(f"entry {body['seq']} of epoch {body['epoch']} is missing or is not the one that was signed")
        reach[body["epoch"]] = max(reach.get(body["epoch"], 0), body["seq"])
    return reach


def record(folder: Path, keys: dict[str, Path]) -> tuple[str, Entries]:
    """Check one record, and say what it comes to; gives its entries too."""
    hashes, entries = chains(folder)
    reach = seals(folder, hashes, keys)
    epoch, last = max(hashes)
    if epoch > 1:
        sys.exit(f"there is more than one history: epoch {epoch} forks from another, see epochs.json")
    if reach.get(epoch, 0) < last:
        sys.exit(f"the entries of epoch {epoch} after number {reach.get(epoch, 0)} are not signed")
    return f"{last} entries, all as they were written; head {hashes[epoch, last]}", entries


def archive(folder: Path, keys: dict[str, Path], first_keys: set[str]) -> str:
    """Check the record of an archive, and who has proven what in it."""
    said, entries = record(folder, keys)
    try:
        told, good = look(folder, entries, first_keys)
    except (WrongError, UnknownError) as error:
        sys.exit(f"{said}\n{error}")
    except (OSError, *UNREADABLE) as error:
        sys.exit(f"{said}\nidentities.json or allowed_signers cannot be read ({type(error).__name__})")
    said = "\n".join([said, *told])
    if not good:
        sys.exit(f"{said}\nSo not all of it is proven")
    return said


def listed(folder: Path, contents: dict[str, dict[str, str]]) -> Iterator[str]:
    """What is not as the list of contents says."""
    beside = {"contents.json", "contents.signature.json"}
    there = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()} - beside
    yield from (f"{name} is not in the list of contents" for name in sorted(there - contents["sha256"].keys()))
    for name, sha256 in contents["sha256"].items():
        if name not in there:
            yield f"{name} is missing"
        elif hashlib.sha256((folder / name).read_bytes()).hexdigest() != sha256:
            yield f"{name} is not as it was"


def unsigned(folder: Path, keys: dict[str, Path]) -> Iterator[str]:
    """Why the list of contents is not the one that was signed."""
    seal = json.loads((folder / "contents.signature.json").read_text(encoding="utf-8"))
    if seal["key"] not in keys or not is_signed(seal, canonical(seal["body"]), keys[seal["key"]]):
        yield "the signature of the list of contents is not valid, or not by a key that is trusted"
    if seal["body"]["contents"] != hashlib.sha256((folder / "contents.json").read_bytes()).hexdigest():
        yield "contents.json is not the list that was signed"


def untold(folder: Path, incident: str) -> Iterator[str]:
    """What the record of an incident says and the tables of the pack leave out."""

    def table(name: str) -> list[dict[str, Any]]:
        rows = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        return [row for row in rows if row["incident"] == incident]

    duties = {(row["step"], seq) for row in table("duties") for seq in row["overdue_in"]}
    # `chain.jsonl` and what forks from it: a later history replaces the end of an earlier one
    for file in (folder / "incidents" / incident).glob("chain*.jsonl"):
        for line in file.read_bytes().splitlines():
            entry = json.loads(line)
            told = entry["data"]
            if entry["kind"] == "declared" and told["declaration"]["mode"] == "drill" and not table("drills"):
                yield f"drills.json leaves out {incident}"
            if entry["kind"] == "obligation-overdue" and (told["step"], entry["seq"]) not in duties:
                yield f"duties.json leaves out that {told['step']} of {incident} was missed"
    if not table("incidents"):
        yield f"incidents.json leaves out {incident}"


def pack(folder: Path, contents: dict[str, Any], keys: dict[str, Path]) -> str:
    """Check a pack: its list, the signature over that, every record in it, and the tables against the records."""
    wrong = [*listed(folder, contents), *unsigned(folder, keys)]
    records = sorted(place.name for place in (folder / "incidents").glob("*"))
    for incident in records:
        try:
            record(folder / "incidents" / incident, keys)
            wrong += untold(folder, incident)
        except (OSError, ValueError, KeyError, SystemExit) as error:
            wrong.append(f"{incident}: {error}")
    if wrong:
        sys.exit("\n".join(wrong))
    return f"{len(records)} records and {len(contents['sha256'])} files of {contents['pack']}, all as they were signed"


def fingerprint(key: Path) -> str:
    """The SHA-256 of a key's DER, as `openssl pkey -pubin -outform DER | sha256sum` tells it."""
    lines = [line for line in key.read_text(encoding="ascii").splitlines() if not line.startswith("-----")]
    return hashlib.sha256(base64.b64decode("".join(lines))).hexdigest()


def main() -> None:
    """Check the folder with the keys that are trusted, else with its own, and print the result."""
    folder, first_keys = Path(*sys.argv[1:2]), {given for given in sys.argv[2:] if given.startswith("SHA256:")}
    trusted = {given.replace(":", "").lower() for given in sys.argv[2:] if given not in first_keys}
    is_pack = (folder / "contents.json").exists()
    about = json.loads((folder / ("contents.json" if is_pack else "manifest.json")).read_text(encoding="utf-8"))
    prints = {arn: fingerprint(folder / name) for name, arn in about["keys"].items()}
    keys = {arn: folder / name for name, arn in about["keys"].items() if not trusted or prints[arn] in trusted}
    print(pack(folder, about, keys) if is_pack else archive(folder, keys, first_keys))
    if not trusted:
        sys.exit(f"This is consistent only with itself: name the key that you trust, if it is {set(prints.values())}")


if __name__ == "__main__":
    main()
