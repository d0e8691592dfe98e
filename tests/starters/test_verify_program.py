"""The program in archives and packs is one file that needs Python 3.9 alone, and reads as our own code does."""

import ast
import sys
from collections import Counter

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from authority.allowed_signers import allowed_signers
from domain.model.plan import Plan
from domain.values.canonical import canonical_value
from reporting.archive import verify_claims, verify_keys
from reporting.archive.one_file import script
from starters.archives.kept_register import KeptRegister
from tests.domain.changing import plan
from tests.signed_records import AS_OF, HOME, identities

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
)


def test_it_is_one_file_of_the_standard_library() -> None:
    """No name stands in it twice, so that no part takes another's; Python 3.9 reads it."""
    tree = ast.parse(script(), feature_version=(3, 9))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    modules = {(node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imported}
    assert {one.partition(".")[0] for one in modules} <= sys.stdlib_module_names
    assert all(node in tree.body for node in imported)
    defined = Counter(
        name for node in tree.body if (name := getattr(node, "name", None) or _assigned(node)) is not None
    )
    assert [name for name, times in defined.items() if times > 1] == []
    assert {"main", "look", "register", "canonical"} <= defined.keys()
    assert "Usage: python3 verify.py FOLDER" in (ast.get_docstring(tree) or "")


def _assigned(node: ast.stmt) -> str | None:
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    return node.targets[0].id if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else None


@given(JSON)
def test_it_writes_canonical_json_as_we_do(value: object) -> None:
    """Numbers as JavaScript has them, members in the order of UTF-16."""
    known = canonical_value(value)
    assert verify_claims.canonical(known) == rfc8785.dumps(known)


@given(st.floats(allow_nan=False, allow_infinity=False, width=64))
def test_it_writes_every_number_as_we_do(number: float) -> None:
    known = canonical_value(number)
    assert verify_claims.canonical(known) == rfc8785.dumps(known)


@given(
    st.booleans(), st.booleans(), st.sampled_from([(), ("count",)]), st.dictionaries(st.text("ab"), st.integers(0, 3))
)
def test_it_makes_the_digest_of_a_plan_as_we_do(back: bool, long: bool, moving: tuple[str, ...], more: object) -> None:
    """Of what is on record, which leaves out defaults, and of all of it."""
    made = plan(reversible=back, takes_long=long, moving=moving, context={"more": more} if more else {})
    for kept in (True, False):
        told = made.model_dump(mode="json", by_alias=True, exclude_defaults=kept)
        assert verify_claims.digest_of_plan(told) == made.digest
    assert Plan.model_validate(told).is_sealed()


def test_it_makes_allowed_signers_as_we_do() -> None:
    """With a revoked key, and with a contact that `ssh-keygen` would read as a pattern."""
    entries = identities()
    kept = KeptRegister.model_validate({"organisation": HOME, "as_of": AS_OF, "entries": entries})
    keys = verify_keys.register({"organisation": HOME, "entries": entries})
    assert verify_keys.signers(keys) == allowed_signers(kept.register())
    odd = {name: key._replace(contact="*") for name, key in keys.items()}
    ours = [key.model_copy(update={"contact": "*"}) for key in kept.register()]
    assert verify_keys.signers(odd) == allowed_signers(ours)
    assert all(line.startswith("#") for line in verify_keys.signers(odd).splitlines())
