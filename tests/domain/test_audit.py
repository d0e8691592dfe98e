"""Nothing of a stored record can be changed, dropped, moved or cut off without the audit naming where."""

import base64
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from activities.ledger.signatures import Keys
from domain.audit import epochs
from domain.audit.epochs import Flaw
from domain.audit.storage_format import Item, KeptSeal, Seal, StoredCopy
from domain.audit.verdict import Verdict, account
from domain.audit.verdict import audit as check
from domain.model.timeline import Entry, Timeline
from tests.records import ARN, INCIDENT, Signer, forked, items, record, signer, timeline

LENGTH = 400
NUMBERS = st.integers(1, LENGTH)
BYTES = st.integers(0, 10**6)


@pytest.fixture(autouse=True, scope="module")
def _remembered() -> Iterator[None]:
    """Read each stored text once, however often it is looked at here: reading is pure."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(epochs, "_read", cache(epochs._read))
        yield


@cache
def vouches() -> Callable[[str, bytes, str], bool]:
    return cache(Keys({ARN: signer().pem}).vouches)


def audit(copy: StoredCopy) -> Verdict:
    return check(copy, vouches())


def first(copy: StoredCopy) -> Flaw:
    found = audit(copy).flaws
    assert found, "the audit saw nothing"
    return found[0]


def with_items(found: list[Item], copy: StoredCopy | None = None, epoch: int = 1) -> StoredCopy:
    copy = copy or record()
    return copy._replace(items={**copy.items, epoch: found})


def with_item(seq: int, item: Item) -> StoredCopy:
    found = list(record().items[1])
    found[seq - 1] = item
    return with_items(found)


def other_character(text: str, position: int, by: str) -> str:
    position %= len(text)
    replaced = by if text[position] != by else chr(ord(by) ^ 1)
    return text[:position] + replaced + text[position + 1 :]


def forged(item: Item, **changes: Any) -> Item:
    """An entry written anew with a hash that fits."""
    entry = Entry.model_validate_json(item.content).model_copy(update=changes)
    entry = entry.model_copy(update={"hash": entry.computed_hash()})
    return Item(item.number, entry.hash, entry.canonical())


@pytest.mark.parametrize("copy", [record(), record(1), record(12, 5)], ids=["400", "1", "12"])
def test_a_record_as_written_is_intact(copy: StoredCopy) -> None:
    """Of a record as the ledger writes it nothing is named, and it is told how far it is signed."""
    verdict = audit(copy)
    assert verdict.flaws == []
    assert verdict.intact
    assert [verdict.answer(brought=mine) for mine in (True, False)] == ["proven", "consistent"]
    assert verdict.entries == verdict.signed == len(copy.items[1])
    assert verdict.head == copy.items[1][-1].hash
    assert [entry.canonical() for entry in account(copy)] == [item.content for item in copy.items[1]]


@given(NUMBERS, BYTES, st.characters(codec="utf-8"))
@settings(max_examples=60)
def test_any_character_of_an_entry_changed_is_named(seq: int, position: int, by: str) -> None:
    """Whatever character of the stored entry becomes another, that entry is the first that is named."""
    item = record().items[1][seq - 1]
    flaw = first(with_item(seq, item._replace(content=other_character(item.content, position, by))))
    assert (flaw.seq, flaw.kind) == (seq, "altered")


@given(NUMBERS, BYTES)
@settings(max_examples=20)
def test_any_character_of_the_hash_beside_an_entry_changed_is_named(seq: int, position: int) -> None:
    """The hash that is stored beside an entry is bound, too."""
    item = record().items[1][seq - 1]
    flaw = first(with_item(seq, item._replace(hash=other_character(item.hash, position, "0"))))
    assert (flaw.seq, flaw.kind) == (seq, "altered")


@given(NUMBERS, st.sampled_from([" {}", "{} ", "{}\n"]))
@settings(max_examples=15)
def test_a_character_more_is_named(seq: int, around: str) -> None:
    """Even what means the same JSON is not what was written."""
    item = record().items[1][seq - 1]
    assert first(with_item(seq, item._replace(content=around.format(item.content)))).seq == seq


@given(NUMBERS)
@settings(max_examples=40)
def test_a_rewritten_entry_with_a_fitting_hash_is_named(seq: int) -> None:
    """An entry written anew with its hash recomputed is named itself, not the one after it."""
    flaw = first(with_item(seq, forged(record().items[1][seq - 1], text="nothing happened")))
    assert (flaw.seq, flaw.kind) == (seq, "altered")


@given(st.integers(1, LENGTH))
@settings(max_examples=20)
def test_a_chain_rewritten_to_its_end_is_named(seq: int) -> None:
    """Who recomputes every hash from some entry on cannot sign: between there and the next signed head is named."""
    kept = [Entry.model_validate_json(item.content) for item in record().items[1]]
    chain = Timeline(entries=kept[: seq - 1])
    for entry in kept[seq - 1 :]:
        chain.append(entry.at, entry.actor, entry.kind, f"{entry.text}!", entry.data)
    flaw = first(with_items(items(chain.entries)))
    assert seq <= flaw.seq <= min(-(-seq // 7) * 7, LENGTH)


@given(st.integers(1, LENGTH - 1))
@settings(max_examples=40)
def test_a_dropped_entry_is_named(seq: int) -> None:
    """An entry that is gone from the middle is missing by its number, and nothing else is wrong."""
    found = [item for item in record().items[1] if int(item.number) != seq]
    assert [(flaw.seq, flaw.kind) for flaw in audit(with_items(found)).flaws] == [(seq, "missing")]


@given(NUMBERS)
@settings(max_examples=40)
def test_a_cut_tail_is_named(keep: int) -> None:
    """Whatever is left of the tail, the first entry cut off is named: the newest signed head says that it was there."""
    found = record().items[1][: keep - 1]
    flaw = first(with_items(found))
    assert (flaw.seq, flaw.kind) == (keep, "cut")
    assert str(LENGTH) in flaw.text


@given(st.tuples(NUMBERS, NUMBERS).filter(lambda pair: pair[0] != pair[1]))
@settings(max_examples=40)
def test_swapped_entries_are_named(pair: tuple[int, int]) -> None:
    """Two entries in each other's place are named as reordered, the earlier one first."""
    one, other = sorted(pair)
    found = list(record().items[1])
    left, right = found[one - 1], found[other - 1]
    found[one - 1], found[other - 1] = right._replace(number=left.number), left._replace(number=right.number)
    assert [(f.seq, f.kind) for f in audit(with_items(found)).flaws] == [(one, "reordered"), (other, "reordered")]


@given(NUMBERS, st.sampled_from(["000000", "000900", "1", "00000a", "\u0660" * 6, ""]))
@settings(max_examples=20)
def test_an_entry_under_another_number_is_named(seq: int, number: str) -> None:
    """An entry that was moved to a number where none belongs is missing where it was, or told as a stray."""
    flaws = audit(with_item(seq, record().items[1][seq - 1]._replace(number=number))).flaws
    assert any(flaw.seq == seq and flaw.kind in {"missing", "cut"} for flaw in flaws)
    assert len(flaws) > 1


@given(st.integers(0, len(record().seals) - 1), BYTES, st.characters(codec="utf-8"))
@settings(max_examples=60)
def test_any_character_of_a_signed_head_changed_is_named(which: int, position: int, by: str) -> None:
    """A signed head with any other character in it is named by its place, whatever the character."""
    seals = list(record().seals)
    kept = seals[which]
    seals[which] = kept._replace(text=other_character(kept.text, position, by))
    flaws = audit(record()._replace(seals=seals)).flaws
    assert (flaws[0].kind, flaws[0].seq) == ("signature", int(kept.place[-11:-5]))


def test_a_signature_of_another_key_proves_nothing() -> None:
    """Heads signed by a key that is not trusted are named, and so are the entries that only they vouched for."""
    stranger = Signer()
    entries = timeline(5).entries
    copy = StoredCopy(INCIDENT, {1: items(entries)}, {}, [stranger.seal(entries[-1])])
    assert {flaw.kind for flaw in audit(copy).flaws} == {"signature", "unsigned"}
    other = copy._replace(seals=[signer().seal(entries[-1], arn=ARN + "0")])
    assert {flaw.kind for flaw in audit(other).flaws} == {"signature", "unsigned"}


def test_a_signed_head_of_another_place_proves_nothing() -> None:
    """A good signature counts at its own place alone: not at another number's, epoch's or incident's."""
    entries = timeline(5).entries
    whole = StoredCopy(INCIDENT, {1: items(entries)}, {}, [signer().seal(entries[-1])])
    foreign = signer().seal(entries[3], incident="inc-20261123-0000")
    for place in (f"ledger/{INCIDENT}/0001/000004.json", foreign.place):
        seals = [*whole.seals, KeptSeal(place, foreign.text)]
        assert audit(whole._replace(seals=seals)).flaws[0].kind == "signature"
    stray = KeptSeal(f"ledger/{INCIDENT}/notes.txt", "hello")
    assert str(audit(whole._replace(seals=[*whole.seals, stray])).flaws[0]).startswith("ledger/")


def test_two_signed_heads_that_contradict_each_other_are_told() -> None:
    """Two good signatures over different hashes at one number: the signer was misused, whatever stands there."""
    entries = timeline(5).entries
    lie = entries[-1].model_copy(update={"hash": "1" * 64})
    copy = StoredCopy(INCIDENT, {1: items(entries)}, {}, [signer().seal(entries[-1]), signer().seal(lie)])
    assert audit(copy).flaws[0].kind == "signature"


def test_entries_that_nothing_signed_prove_nothing() -> None:
    """Entries behind the newest signed head, and a record without any, are named from the first on."""
    longer = timeline(LENGTH + 3).entries
    added = with_items(items(longer))
    assert [(flaw.seq, flaw.kind) for flaw in audit(added).flaws] == [(LENGTH + 1, "unsigned")]
    assert first(StoredCopy(INCIDENT, {1: items(longer)}, {}, [])).kind == "unsigned"


def test_among_unsigned_entries_a_rewritten_one_is_still_seen() -> None:
    """Behind the newest signed head each entry must at least follow from the one before it."""
    found = items(timeline(LENGTH + 3).entries)
    found[LENGTH] = forged(found[LENGTH], text="nothing happened")
    flaws = audit(with_items(found)).flaws
    assert [(flaw.seq, flaw.kind) for flaw in flaws] == [(LENGTH + 1, "unsigned"), (LENGTH + 2, "altered")]


def test_a_signature_has_one_spelling() -> None:
    """The last digit of base64 has bits that mean nothing; another digit there is another signature all the same."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    texts = (signer().seal(entry).text for entry in timeline(200).entries)
    seal = next(seal for seal in map(Seal.model_validate_json, texts) if seal.signature.endswith("="))
    digits = seal.signature.rstrip("=")
    spelled = digits[:-1] + alphabet[alphabet.index(digits[-1]) ^ 1] + "=" * (len(seal.signature) - len(digits))
    assert base64.b64decode(spelled) == base64.b64decode(seal.signature)
    assert vouches()(seal.key, seal.body.message(), seal.signature)
    assert not vouches()(seal.key, seal.body.message(), spelled)


def test_a_record_of_which_only_signed_heads_are_left_is_cut_from_the_start() -> None:
    """When the whole table is gone, the signed heads still say what was there."""
    assert (first(with_items([])).seq, first(with_items([])).kind) == (1, "cut")


def test_a_reset_workflow_leaves_two_whole_epochs() -> None:
    """A fork is the only flaw that is told, and the account goes through the epoch that it leaves."""
    verdict = audit(forked())
    assert [(flaw.kind, flaw.epoch, flaw.seq) for flaw in verdict.flaws] == [("fork", 2, 42)]
    assert (verdict.intact, verdict.answer(brought=True)) == (False, "broken")
    assert [(e.epoch, e.leaves, e.after, e.last) for e in verdict.epochs] == [(1, None, 0, 51), (2, 1, 41, 60)]
    assert (verdict.entries, verdict.signed) == (60, 60)
    told = account(forked())
    assert Timeline(entries=told).first_broken() is None
    assert (len(told), told[-1].hash) == (60, verdict.head)
    assert "anew" in told[41].text


@given(st.sampled_from(["leaves", "after", "prev", "first"]), BYTES, st.sampled_from("0123456789abc x"))
@settings(max_examples=40)
def test_any_character_of_a_forks_mark_changed_is_named(field: str, position: int, by: str) -> None:
    """Where an epoch begins cannot be told otherwise than it did."""
    mark = forked().marks[2]
    changed = {**mark, field: other_character(mark[field], position, by)}
    assert {flaw.kind for flaw in audit(forked()._replace(marks={2: changed})).flaws} - {"fork"}


@pytest.mark.parametrize("marks", [{}, {2: {}}, {2: {**forked().marks[2], "more": "1"}}], ids=["none", "empty", "more"])
def test_an_epoch_without_its_mark_is_told(marks: dict[int, dict[str, str]]) -> None:
    """Entries of an epoch of which nothing says where it begins are not taken for the account."""
    assert "epoch" in {flaw.kind for flaw in audit(forked()._replace(marks=marks)).flaws}


@given(st.integers(1, 2), st.data())
@settings(max_examples=40)
def test_in_either_epoch_a_dropped_entry_is_named(epoch: int, data: st.DataObject) -> None:
    """An entry missing from either history is named with its epoch."""
    found = forked().items[epoch]
    gone = data.draw(st.sampled_from(found))
    flaw = first(with_items([item for item in found if item != gone], forked(), epoch))
    assert (flaw.seq, flaw.epoch) == (int(gone.number), epoch)


def test_an_epoch_that_was_begun_and_never_written_is_no_fork() -> None:
    """A process killed between the mark and the first entry, and reset again, leaves a mark alone."""
    mark = {**forked().marks[2], "first": "2" * 64}
    verdict = audit(forked()._replace(marks={**forked().marks, 3: mark}))
    assert ([(flaw.kind, flaw.epoch) for flaw in verdict.flaws], verdict.entries) == ([("fork", 2)], 60)


def test_the_audit_stays_linear() -> None:
    """A forged item far away costs nothing and is told once, not a million times."""
    far = [*record().items[1], record().items[1][0]._replace(number="999999")]
    assert len(audit(with_items(far)).flaws) <= 3
