"""The archive's README, for readers without this program."""

README = """\
# The record of an incident

This archive holds everything that was recorded of one incident, in order, and what is needed to detect whether even a
single character of it has been changed since.

| file | what it is |
|---|---|
| `chain.jsonl` | the entries, one per line, oldest first |
| `chain-0002.jsonl`, ... | only if the history was restarted from an earlier entry: the entries of that epoch |
| `epochs.json` | for each such epoch: which it forks from, after which entry, that entry's hash, its own first hash |
| `ledger/<incident>/<epoch>/<number>.json` | signed heads: how far the chain reached at that time |
| `public-key.pem`, ... | the public keys of the signatures; `manifest.json` says which key is which |
| `incident.json` | a summary of the incident at the time of export; not signed, for convenience only. May be missing |
| `verify.py` | the steps below as a program |
| `manifest.json` | the SHA-256 of every file, to detect accidental damage |

## How the proof works

1. Each entry is one line of canonical JSON (RFC 8785). It holds its number `seq` (from 1), `prev`, the hash of the
   entry before it (64 zeros for the first), and `hash`, its own: the SHA-256 of the line without the member `hash`.
   So nothing in the middle can be changed, removed, added or moved without changing every later hash.
2. A signed head holds a `body` with the number and the hash of the last entry at that time, and the `signature`
   over the body's canonical JSON (no whitespace, members in alphabetical order): ECDSA on NIST P-256 with SHA-256, DER,
   in base64. The private key never leaves AWS Key Management Service. So the chain can
   neither be rewritten from some entry on nor truncated: the newest signed head says how far it must reach.
3. The signed heads were stored under S3 Object Lock in COMPLIANCE mode, which nobody can lift, not even the account's
   owner or the provider.

## Check it yourself

Unpack the archive and, with Python 3.9 or newer and openssl, run

    python3 verify.py

or by hand, for entry 1 and one signed head:

    # the hash of an entry: the line without its own "hash"
    head -n 1 chain.jsonl | tr -d '\\n' | sed 's/"hash":"HASH-OF-THE-ENTRY",//' | sha256sum

    # the signature of a head: body.json is the body without whitespace and without a final newline
    jq -jcS .body ledger/INCIDENT/0001/NUMBER.json > body.json
    jq -r .signature ledger/INCIDENT/0001/NUMBER.json | base64 -d > signature.der
    openssl dgst -sha256 -verify public-key.pem -signature signature.der body.json

## Which key to trust

Anybody who could change this archive could also replace the key in it. Compare the key with a copy that you received
in another way: published before the incident, deposited with a notary, or obtained from the account's owner in court

    openssl pkey -pubin -in public-key.pem -outform DER | sha256sum

`incident audit verify --file ARCHIVE --public-key KEY.pem` and the steps above then prove the record with that key.
An entry is what the orchestrator or the named person stated at that time. The chain proves that it was stated, in
these words and in this order, not that it was true.
"""
