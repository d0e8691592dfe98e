"""Whatever people or attackers wrote stays text, in every format, and is all there."""

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from domain.model.finding import FindingStatus
from reporting.content.blocks import Block, Heading, Items, Table, plain
from reporting.content.safe_text import legible, pieces
from reporting.formats.html import html
from reporting.formats.markdown import markdown
from reporting.formats.rendering import ENDINGS, rendered
from reporting.formats.svg import svg
from reporting.picture.drawing import Bar, Diamond, Dot, Drawing, Label, Line, Shape
from tests.activities.report_parts import SYDNEY
from tests.activities.report_worlds import Played
from tests.builders import declaration

HOSTILE = [
    "<script>alert(1)</script>",
    "</title></style></svg><img src=x onerror=alert(1)>",
    "]]><!-- --><![CDATA[",
    'a" onmouseover="alert(1)',
    "a | b || c \\| d",
    "`code` ``` ~~~ *b* _i_ [l](javascript:alert(1)) ![i](x) &lt;b&gt; # h",
    "# heading",
    "- item",
    "1. item",
    "=====",
    "> quote",
    "\x00\x01\x1b[31mred\x07\x7f\x85",
    "gnirts \u202etfel ot thgir\u202c and \u2066isolated\u2069",
    "עברית \u200f שלום",
    "👩🏽‍⚕️ 🏥 e\u0301",
    "\ud800 half a pair",
    "\ufffe\uffff",
    "w" * 5000,
    "arn:aws:s3:::" + "long-" * 60,
    "two\nlines\r\nand\ttabs\u2028and more",
]
ALLOWED = re.compile("html|head|meta|title|style|body|nav|a|main|h[123]|p|ul|li|div|table|thead|tbody|tr|th|td|wbr")
hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=60), st.text("<>&\"'`|\\*_[]()#-+.=!~ \n\ud800\u202e1a"))


def collapsed(text: str) -> str:
    """A text as a page shows it: rows of white space are one blank."""
    return " ".join(legible(text).split())


def parsed(text: str) -> ET.Element:
    """What an XML parser makes of our own picture; raises `ParseError`."""
    return ET.fromstring(text)  # noqa: S314


class Read(HTMLParser):
    """What a browser finds in a page: elements, attributes, and the text of the body."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.cells: list[str] = []
        self._text: list[str] | None = None
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag in {"h1", "p", "li", "td", "th"}:
            self._text = []

    def handle_endtag(self, tag: str) -> None:
        if tag in {"h1", "p", "li", "td", "th"} and self._text is not None:
            self.cells.append(" ".join("".join(self._text).split()))
            self._text = None

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            self._text.append(data)


def blocks(text: str) -> list[Block]:
    return [Heading(1, text), text, Items([text]), Table([text], [[text]], {0: "bad"})]


@settings(max_examples=200)
@given(hostile)
def test_html_holds_the_text_and_no_element_of_its_own(text: str) -> None:
    """Five times the text, whole; no element, attribute or comment that is not ours; UTF-8 throughout."""
    page = html(blocks(text), text)
    page.encode()
    found = Read(page)
    assert all(map(ALLOWED.fullmatch, found.tags))
    assert found.attributes <= {"lang", "charset", "name", "content", "href", "id", "scope", "class"}
    assert found.cells == [collapsed(text)] * 5
    assert "<!--" not in page
    assert page.count("</title>") == 1


@settings(max_examples=200)
@given(hostile)
def test_svg_is_well_formed_and_holds_the_text(text: str) -> None:
    """An XML parser reads the picture, and finds each text where it was put."""
    shapes: list[Shape] = [
        Label(1, 2, text),
        Bar(0, 0, 1, 1, "good", text),
        Line(0, 0, 1, 1, "bad", title=text),
        Dot(1, 1, 1, "page", text),
        Diamond(1, 1, 1, "person", text),
    ]
    for alone in (False, True):
        root = parsed(svg(Drawing(10, 10, text, text, shapes), alone=alone))
        names = [element.tag.rpartition("}")[2] for element in root.iter()]
        assert set(names) <= {"svg", "title", "desc", "style", "rect", "text", "line", "circle", "polygon"}
        told = [element.text or "" for element in root.iter() if element.tag.rpartition("}")[2] in {"text", "desc"}]
        assert [" ".join(one.split()) for one in told] == [collapsed(text)] * 2
        assert names.count("title") == (5 if text else 1)


@settings(max_examples=200)
@given(hostile)
def test_markdown_holds_the_text_and_no_markup_of_its_own(text: str) -> None:
    """A reader of markdown finds the headings, items and cells that are ours, and in each just the text."""
    tokens = (
        MarkdownIt("commonmark").enable("table").parse(markdown([text, Items([text]), Table(["The column"], [[text]])]))
    )
    kinds = {token.type for token in tokens if token.type.endswith("_open")}
    ours = {"paragraph_open", "bullet_list_open", "list_item_open"}
    assert kinds <= ours | {f"{one}_open" for one in ("table", "thead", "tbody", "tr", "th", "td")}
    inline = [token for token in tokens if token.type == "inline" and token.content != "The column"]
    told = ["".join(child.content for child in token.children or []) for token in inline]
    assert [one for one in told if one] == ([collapsed(text)] * 3 if collapsed(text) else [])
    assert {child.type for token in inline for child in token.children or []} <= {"text", "text_special"}


@settings(max_examples=100)
@given(st.text(min_size=1).filter(lambda text: not re.search(r"\s", text)))
def test_a_cut_word_is_whole_again(word: str) -> None:
    """The pieces of a long word are the word, and none is longer than fits a narrow column."""
    assert "".join(pieces(word)) == word
    assert max(map(len, pieces(word))) <= 32


def test_what_turns_the_direction_is_seen() -> None:
    """A character that would turn around what stands beside it, or hide, is shown as its number."""
    assert legible("a\u202eb\u0000c\u2069\ud800") == "a[U+202E]b[U+0000]c[U+2069][U+D800]"
    assert legible("שלום é 🏥\n") == "שלום é 🏥\n"


@pytest.mark.parametrize("format_", list(ENDINGS))
@pytest.mark.parametrize("text", [text for text in HOSTILE if "\ud800" not in text])
def test_a_whole_report_of_hostile_texts(text: str, format_: str) -> None:
    """Said in each place where people and systems write, it breaks nothing; the document has it to the letter."""
    said = (text * 4000)[:4000] if len(text) > 4000 else text
    played = Played(declaration(title=said[:200], description=said))
    played.find("deployments", FindingStatus.SUSPECT, said, facts={said[:50]: [said]}, evidence=said)
    played.say("acknowledge", "devops-lead")
    played.say("note", "cto", text=said)
    played.say("mitigated", "devops-lead", summary=said)
    played.say("complete_task", "devops-lead", step="assess", note=said)
    content = rendered(played.entries, format_, SYDNEY)
    if format_ == "pdf":
        assert content.startswith(b"%PDF-")
        return
    report = content.decode()
    if format_ == "json":
        assert json.loads(report)["incident"]["notes"][0]["text"] == said
    elif format_ == "html":
        found = Read(report)
        assert collapsed(said) in found.cells
        assert "script" not in found.tags
        assert "img" not in found.tags
        picture = report[report.index("<svg") : report.index("</svg>") + 6]
        assert parsed(picture).tag.endswith("svg")
    else:
        tokens = MarkdownIt("commonmark").enable("table").parse(report)
        inline = [child for token in tokens for child in token.children or []]
        assert {token.type for token in inline} <= {"text", "text_special"}
        assert "html_block" not in {token.type for token in tokens}
        assert collapsed(said) in "".join(token.content for token in inline)


def test_values_without_json() -> None:
    """What a plan or a finding holds is told without quotes and braces, and without losing a value."""
    value = {"a": {"Allow": {}}, "ports": [80, 443], "rules": [{"from": 1, "to": None}, {"on": True}], "none": []}
    assert plain(value) == "a: (Allow), ports: 80; 443, rules: (from: 1, to: none); (on: yes), none: empty"
    assert plain(False) == "no"
    assert plain(0.5) == "0.5"
