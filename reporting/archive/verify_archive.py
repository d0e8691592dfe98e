"""Recompute the record in this folder. Needs Python 3.9 or newer and openssl, and nothing else.

Usage: python3 verify.py [FOLDER]. It stops at the first error, with exit status 1.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def chains(folder: Path) -> dict[tuple[int, int], str]:
    """Check that each entry's hash matches its content, and that it holds the hash of the entry before it."""
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
            own = f'"hash":"{entry["hash"]}",'.encode()  # no entry can hold its own hash a second time
            found = hashlib.sha256(line.replace(own, b"", 1)).hexdigest()
            if (entry["seq"], entry["prev"], entry["hash"]) != (number, before, found):
                sys.exit(f"entry {number} of epoch {epoch} is not as it was written, or one before it is missing")
            hashes[epoch, number] = before = found
    return hashes


def is_signed(seal: dict[str, str], message: bytes, key: Path) -> bool:
    """Check the signature with openssl."""
    with tempfile.TemporaryDirectory() as scratch:
        signature = Path(scratch, "signature")
        signature.write_bytes(base64.b64decode(seal["signature"]))
        command = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
        checked = subprocess.run(command, input=message, stdout=subprocess.DEVNULL, check=False)  # noqa: S603
    return checked.returncode == 0


def seals(folder: Path, hashes: dict[tuple[int, int], str]) -> dict[int, int]:
    """Check each signed head and that its entry has the signed hash. Returns how far each epoch is signed."""
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    keys = {arn: folder / name for name, arn in manifest["keys"].items()}
    reach: dict[int, int] = {}
    for file in sorted(folder.glob("ledger/**/*.json*")):
        seal = json.loads(file.read_text(encoding="utf-8"))
        body = seal["body"]
        message = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
        if not is_signed(seal, message, keys[seal["key"]]):
            sys.exit(f"the signature of {file} is not valid")
        if hashes.get((body["epoch"], body["seq"])) != body["head"]:
            sys.exit(f"entry {body['seq']} of epoch {body['epoch']} is missing or is not the one that was signed")
        reach[body["epoch"]] = max(reach.get(body["epoch"], 0), body["seq"])
    return reach


def main() -> None:
    """Check the folder and print the result."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    hashes = chains(folder)
    reach = seals(folder, hashes)
    epoch, last = max(hashes)
    if reach.get(epoch, 0) < last:
        sys.exit(f"the entries of epoch {epoch} after number {reach.get(epoch, 0)} are not signed")
    print(f"{last} entries, all as they were written; head {hashes[epoch, last]}")


if __name__ == "__main__":
    main()
