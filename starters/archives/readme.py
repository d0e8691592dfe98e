"""What stands in an archive for whoever is handed it, and does not have this program."""

README = """\
# The record of an incident

This archive holds everything that was recorded of one incident, in the order in which it was recorded, and what is
needed to find out whether a single character of it was changed since.

| file | what it is |
|---|---|
| `chain.jsonl` | the entries, one a line, oldest first |
| `chain-0002.jsonl`, ... | only if the history began anew at some entry: the entries of that epoch |
| `epochs.json` | for each such epoch: which one it leaves, after which entry, that entry's hash, its own first hash |
| `ledger/<incident>/<epoch>/<number>.json` | signed heads: how far the chain reached at that moment |
| `public-key.pem`, ... | the public keys of the signatures; `manifest.json` says which key is which |
| `incident.json` | the incident at a glance, as it stood at the export; a convenience, not signed. May be missing |
| `verify.py` | the steps below as a program |
| `manifest.json` | the SHA-256 of every file, against accidents on the way |

## How the proof works

1. Each entry is one line of canonical JSON (RFC 8785). It holds its number `seq` (from 1), `prev`, the hash of the
   entry before it (64 zeros for the first), and `hash`, its own: the SHA-256 of the line without the member `hash`.
   So nothing in the middle can be changed, left out, added or moved without every later hash being another.
2. A signed head holds a `body` with the number and the hash of the last entry at that moment, and the `signature`
   over the body's canonical JSON (no blanks, members in alphabetical order): ECDSA on NIST P-256 with SHA-256, DER,
   in base64. The private key never leaves AWS Key Management Service. So neither can the chain be written anew from
   some entry on, nor can its end be cut off: the newest signed head says how far it must reach.
3. The signed heads were stored under S3 Object Lock in COMPLIANCE mode, which nobody can lift, the account's owner
   and the provider included.

## Check it yourself

Unpack the archive and, with Python 3.9 or newer and openssl, run

    python3 verify.py

or by hand, for entry 1 and one signed head:

    # the hash of an entry: the line without its own "hash"
    head -n 1 chain.jsonl | tr -d '\\n' | sed 's/"hash":"HASH-OF-THE-ENTRY",//' | sha256sum

    # the signature of a head: body.json is the body without blanks, and without a line end
    jq -jcS .body ledger/INCIDENT/0001/NUMBER.json > body.json
    jq -r .signature ledger/INCIDENT/0001/NUMBER.json | base64 -d > signature.der
    openssl dgst -sha256 -verify public-key.pem -signature signature.der body.json

## Where trust begins

Whoever could change this archive could also put another key into it. Compare the key with one that reached you by
another way: published before the incident, deposited with a notary, or asked of the account's owner in court

    openssl pkey -pubin -in public-key.pem -outform DER | sha256sum

`incident audit verify --file ARCHIVE --public-key KEY.pem` and the steps above then prove the record with that key.
What an entry says is what the orchestrator or the named person told at that time. The chain proves that it was
recorded so and then, not that it was true.
"""
