from html.parser import HTMLParser

import pytest
import yaml
from traitlets.config import Config

from jupyter_otel.disclosure.document import (
    Bullets,
    Document,
    Heading,
    Section,
    Table,
    as_html,
    as_markdown,
)
from jupyter_otel.disclosure.sheet import privacy_sheet
from jupyter_otel.telemetry import Telemetry

HOSTILE = "<script>x</script> | `a` \x1b[2J\nb"


def blocks(document, kind):
    return [
        block
        for section in document.sections
        for block in section.blocks
        if isinstance(block, kind)
    ]


def test_every_collected_property_is_in_the_sheet_with_what_is_done(telemetry):
    told = telemetry(level="audit").collected()

    sheet = privacy_sheet(told, made="now")

    shown = {
        (table.caption, row[0], row[3], row[5])
        for table in blocks(sheet, Table)
        for row in table.rows
        if table.caption.startswith("Properties of ")
    }
    assert shown == {
        (
            f"Properties of {schema.event_name}",
            one.name,
            f"{one.action}: {one.means}",
            one.rule,
        )
        for schema in told.schemas
        for one in schema.properties
    }


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("http://localhost:1", "Read, change and suppress records"),
        ("https://localhost:1", "Suppress records by cutting the line"),
        (None, "Nothing: records stay on this machine."),
    ],
)
def test_the_sheet_says_what_the_network_could_do(
    telemetry, monkeypatch, endpoint, said
):
    if endpoint:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    told = telemetry().collected()

    page = as_markdown(privacy_sheet(told, made="now"))

    assert said in page


def test_the_sheet_says_what_for_and_whom_to_ask(tmp_path):
    config = Config()
    config.OtelPolicy.level = "usage"
    config.OtelRedaction.hash_key_file = str(tmp_path / "key")
    config.OtelSpool.durability = "memory"
    config.OtelConsent.notice = "To size machines.\n\nBy the computing centre."
    config.OtelConsent.contact = "dpo at example"
    with Telemetry(config) as running:
        page = as_markdown(privacy_sheet(running.collected(), made="now"))

    assert "\n\nTo size machines.\n\nBy the computing centre.\n\n" in page
    assert "- Whom to ask: dpo at example." in page


def test_the_sheet_of_level_none_says_that_nothing_is_collected(telemetry):
    page = as_markdown(privacy_sheet(telemetry(level="none").collected(), made="now"))

    assert "Nothing is collected: the level is none" in page
    assert "## What is collected" not in page


def test_markdown_shows_texts_as_they_stand():
    table = Table(("a",), [(HOSTILE,)], "t")
    document = Document("T", [Section("S", [HOSTILE, table, Bullets([HOSTILE])])])

    shown = r"\<script\>x\</script\> \| \`a\` \\x1b\[2J b"
    assert as_markdown(document) == (
        f"# T\n\n## S\n\n{shown}\n\n| a |\n| --- |\n| {shown} |\n\n- {shown}\n"
    )


class Tags(HTMLParser):
    """Keeps what a page is made of."""

    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        """Note a tag, and that it waits for its end."""
        self.seen.append((tag, dict(attrs)))
        if tag not in {"meta", "wbr"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        """Ends must come in order."""
        assert self.open.pop() == tag


def test_html_escapes_texts_and_is_well_formed_for_readers_of_all_kinds():
    table = Table(("a", "b"), [(HOSTILE, "y")], HOSTILE)
    section = Section(HOSTILE, [HOSTILE, Heading("h"), table, Bullets([HOSTILE])])
    page = as_html(Document(HOSTILE, [section]))

    tags = Tags()
    tags.feed(page)

    assert tags.open == []
    assert "script" not in {tag for tag, _ in tags.seen}
    assert "\x1b" not in page
    assert ("html", {"lang": "en"}) in tags.seen
    scopes = [attributes for tag, attributes in tags.seen if tag == "th"]
    assert scopes == [{"scope": "col"}, {"scope": "col"}, {"scope": "row"}]


def test_an_administrators_odd_schema_cannot_break_the_page(telemetry, tmp_path):
    identifier = "https://example.org/<b>|x/v1"
    overlay = tmp_path / "o.yaml"
    rules = {"<i>|": "operational"}
    said = {"level": "operational", "properties": rules}
    overlay.write_text(yaml.safe_dump({"schemas": {identifier: said}}))
    running = telemetry(files=[str(overlay)])
    properties = {"<i>|": {"type": "string", "description": "<script>"}}
    running.register_schema({"$id": identifier, "properties": properties})

    page = as_html(privacy_sheet(running.collected(), made="now"))

    assert "<script>" not in page
    assert "<b>" not in page
    assert "&lt;i&gt;|" in page
