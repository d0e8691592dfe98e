"""What nobody has filled in is found, and what a program has encoded is none."""

import pytest

from domain.values.placeholders import placeholders

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEKWjK1bomjI2wGxA/HeSl8B/n6IM+T+tb1XOXXXf5Pe a responder"
SIGNATURE = "-----BEGIN SSH SIGNATURE-----\nU1NIU0lHAAAAAQAAADMAAAALc3NoLWVkXXXxOQAA\n-----END SSH SIGNATURE-----\n"


@pytest.mark.parametrize("encoded", [KEY, SIGNATURE], ids=["key", "signature"])
def test_a_mark_in_a_key_or_a_signature_is_chance(encoded: str) -> None:
    assert "XXX" in encoded
    assert list(placeholders({"entries": [{"public": encoded}]})) == []


@pytest.mark.parametrize("text", ["vpc-XXXXXXXX", "arn:aws:elb:x:1:loadbalancer/app/axis/XXXXXXXXXXXX"])
def test_what_is_to_be_filled_in_is_found(text: str) -> None:
    assert list(placeholders({"a": [text]})) == [(("a", 0), text)]
