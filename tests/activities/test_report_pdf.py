"""The report as PDF: its text can be found and read, on every page, whatever letters it is made of."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from fpdf import FPDF
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PageObject, PdfReader

from reporting.content.blocks import Block, Heading, Items, Table
from reporting.formats.pdf import pdf
from reporting.formats.pdf_text import FONT, encodable, wrapped
from reporting.formats.rendering import rendered
from tests.activities.report_parts import SYDNEY, parts
from tests.activities.report_worlds import breach, outage

AT = datetime(2026, 11, 23, tzinfo=UTC)
FOOT_POINTS = 15 / 25.4 * 72


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content), strict=True)


def words(reader: PdfReader) -> str:
    """All text of a document, its white space as single blanks."""
    return " ".join(" ".join(page.extract_text() for page in reader.pages).split())


def test_it_opens_and_says_what_the_report_says() -> None:
    """Each part's heading, and what stands under it, is found; the title and the language are those of the report."""
    reader = read(rendered([*outage()], "pdf", SYDNEY))
    told = words(reader)
    for heading in parts(outage()):
        assert heading in told
    for text in (
        "2026-11-23 14:22:40 +11:00",
        "Digest: ",
        "Revision 8 lacked a migration.",
        "NDB-2026-117",
        "every patient is concerned",
        outage()[-1].hash,
    ):
        assert text in told
    assert reader.metadata is not None
    assert reader.metadata.title == "inc-20261123-7f3k: Portal answers 503"
    assert str(reader.root_object["/Lang"]) == "en"
    assert [entry.title for entry in reader.outline[1]] == [name for name in parts(outage()) if name]  # type: ignore[union-attr]


def test_the_same_ledger_gives_the_same_bytes() -> None:
    assert rendered([*outage()], "pdf", SYDNEY) == rendered([*outage()], "pdf", SYDNEY)


def lines(page: PageObject) -> list[tuple[float, float, str]]:
    """The texts of a page with their height above its foot and their size, in points, from the top down."""
    found: list[tuple[float, float, str]] = []

    def take(text: str, _cm: list[float], tm: list[float], _font: object, size: float) -> None:
        if text.strip():
            found.append((tm[5], size, text.strip()))

    page.extract_text(visitor_text=take)
    return sorted(found, reverse=True)


def test_no_page_runs_into_its_foot_and_none_ends_with_a_heading() -> None:
    """On every page of a long report the text ends above the foot's line, and a heading is never the last of it."""
    reader = read(rendered([*breach()], "pdf", SYDNEY))
    assert len(reader.pages) > 15
    for number, page in enumerate(reader.pages, start=1):
        *body, one, other = lines(page)
        assert {one[2], other[2]} == {"inc-20260923-k4wq: Studies are downloaded in bulk", str(number)}
        lowest, size, text = body[-1]
        assert lowest > FOOT_POINTS - 1, (number, text)
        assert size < 10.5, (number, text)


FOLLOWING: dict[str, list[Block]] = {
    "section": [Heading(3, "Section"), "What is told."],
    "table": [Table(["Column"], [["What is told."]])],
    "text": ["What is told."],
}


@pytest.mark.parametrize("following", list(FOLLOWING))
def test_a_heading_goes_where_what_follows_goes(following: str) -> None:
    """However full the page is: a part's heading stands on the page on which its first words stand."""
    for count in range(22, 40):
        blocks: list[Block] = [*["filled"] * count, Heading(2, "The part"), *FOLLOWING[following]]
        told = [page.extract_text() for page in read(pdf(blocks, "title", AT)).pages]
        heading, words_of_it = (
            [number for number, text in enumerate(told) if one in text] for one in ("The part", "is told.")
        )
        assert heading == words_of_it, count


@pytest.mark.parametrize(
    "text", ["你好, 世界", "שלום", "🏥👩🏽‍⚕️", "Ελλάδα", "\x00\x1b\x7f", "\u202egnirts", "\ud800", "ﬁ ĳ"]
)
def test_letters_that_the_font_lacks_are_told_by_number(text: str) -> None:
    """None is left out: each stands as its number, and the document says what that means."""
    told = words(read(pdf([Heading(1, text), text, Items([text]), Table([text], [[text]])], "title", AT)))
    shown = encodable(text)
    assert "[U+" in shown
    assert told.replace(" ", "").count(shown.replace(" ", "")) == 5
    assert "written as their numbers in Unicode" in told


def test_a_column_is_as_wide_as_its_text() -> None:
    """What has room stands on one line."""
    columns = ["Fact", "Why"]
    told = read(pdf([Table(columns, [["a fact", "as declared"], ["another", "What is told."]])], "title", AT))
    lines_told = told.pages[0].extract_text().splitlines()
    assert [line for line in lines_told if "declared" in line or "told." in line] == [
        "a fact as declared",
        "another What is told.",
    ]


def test_letters_that_it_has_are_as_they_are() -> None:
    """Western European letters, and what has a likeness, need no explanation."""
    told = words(read(pdf(["Zürich, naïve “Ænima” €5 → ≤ 7"], "title", AT)))
    assert told.startswith("Zürich, naïve “Ænima” €5 -> <= 7")
    assert "Unicode" not in told


@settings(max_examples=40)
@given(st.text(max_size=400), st.text(st.characters(categories=["L", "P", "N"]), min_size=1, max_size=3000))
def test_no_text_breaks_it(text: str, word: str) -> None:
    """Any text in any place, however long its words, gives a document that opens."""
    made: list[Block] = [Heading(2, text), word, Items([text, word]), Table(["a", "b"], [[text, word]] * 3)]
    assert len(read(pdf(made, text, AT)).pages) >= 1


@settings(max_examples=60)
@given(
    st.text(st.characters(codec="cp1252", exclude_categories=["C", "Z"]), min_size=1, max_size=300), st.integers(8, 80)
)
def test_no_line_is_wider_than_its_column(word: str, width: int) -> None:
    """A word is broken where it must be, and whole when put together again."""
    pages = FPDF()
    pages.core_fonts_encoding = "cp1252"
    pages.set_font(FONT, size=8)
    found = wrapped(pages, word, width)
    assert "".join(found) == encodable(word)
    assert all(pages.get_string_width(line) <= width + 0.001 for line in found)
