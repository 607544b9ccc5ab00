"""A document for people, and its two renderings: Markdown and one accessible HTML page.

What a document says is not here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from jupyter_otel.complaints import printable


@dataclass(frozen=True, slots=True)
class Table:
    """Rows under a head; the first cell of a row names it."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    caption: str


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list."""

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a part of a section."""

    text: str


Block: TypeAlias = str | Table | Bullets | Heading
"""A bare text is a paragraph."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands below it."""

    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Document:
    """A title and sections, in the order in which they are read."""

    title: str
    sections: Sequence[Section]


def as_markdown(document: Document) -> str:
    """Return a document as Markdown (GitHub's, for the tables)."""
    parts = [f"# {_plain(document.title)}"]
    for section in document.sections:
        parts.append(f"## {_plain(section.title)}")
        parts += [_markdown(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def as_html(document: Document) -> str:
    """Return a document as one HTML page that needs nothing else, no script either."""
    title = escape(printable(document.title))
    body = html_sections(document.sections)
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<main>\n<h1>{title}</h1>\n{body}\n</main>\n</body>\n</html>\n"
    )


def html_sections(sections: Sequence[Section]) -> str:
    """Return sections as HTML below an ``h1``, for a page that has its own head."""
    return "\n".join(_html_section(section) for section in sections)


def _markdown(block: Block) -> str:
    if isinstance(block, Heading):
        return f"### {_plain(block.text)}"
    if isinstance(block, Bullets):
        return "\n".join(f"- {_plain(item)}" for item in block.items)
    if isinstance(block, Table):
        return "\n".join(_markdown_lines(block))
    return _plain(block)


def _markdown_lines(table: Table) -> Iterator[str]:
    yield _markdown_row(table.head)
    yield _markdown_row(["---"] * len(table.head), as_it_is=True)
    yield from (_markdown_row(row) for row in table.rows)


def _markdown_row(cells: Sequence[str], *, as_it_is: bool = False) -> str:
    shown = cells if as_it_is else [_plain(cell) for cell in cells]
    return f"| {' | '.join(shown)} |"


def _plain(text: str) -> str:
    """Return text that Markdown shows as it stands, on one line."""
    line = printable(" ".join(text.split()))
    return "".join(f"\\{letter}" if letter in _MARKUP else letter for letter in line)


_MARKUP = frozenset("\\`*_[]<>|#~")


def _html_section(section: Section) -> str:
    blocks = "\n".join(_html(block) for block in section.blocks)
    return f"<section>\n<h2>{_text(section.title)}</h2>\n{blocks}\n</section>"


def _html(block: Block) -> str:
    if isinstance(block, Heading):
        return f"<h3>{_text(block.text)}</h3>"
    if isinstance(block, Bullets):
        items = "".join(f"<li>{_text(item)}</li>" for item in block.items)
        return f"<ul>{items}</ul>"
    if isinstance(block, Table):
        return _html_table(block)
    return f"<p>{_text(block)}</p>"


def _html_table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(cell)}</th>' for cell in table.head)
    rows = "\n".join(_html_row(row) for row in table.rows)
    label = escape(printable(table.caption))
    # Wide tables scroll by themselves; a keyboard must reach them to do so.
    return (
        f'<div class="wide" role="region" aria-label="{label}" tabindex="0"><table>'
        f"<caption>{label}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _html_row(row: Sequence[str]) -> str:
    first, *others = row
    cells = "".join(f"<td>{_text(cell)}</td>" for cell in others)
    return f'<tr><th scope="row">{_text(first)}</th>{cells}</tr>'


def _text(text: str) -> str:
    """Return escaped text that may break after a path's slashes."""
    shown = escape(printable(" ".join(text.split())))
    return shown.replace("/", "/<wbr>")


_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; background: Canvas; color: CanvasText; }
main { max-width: 72rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.9rem; line-height: 1.2; }
h2 { font-size: 1.35rem; margin-top: 2.5rem; border-bottom: 1px solid GrayText; }
h3 { font-size: 1rem; margin: 2rem 0 .25rem; overflow-wrap: anywhere; }
p, ul { max-width: 48rem; }
.wide { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; width: 100%; min-width: 34rem; font-size: .9rem; }
th, td { overflow-wrap: break-word; }
caption { text-align: left; padding: .25rem 0; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid color-mix(in srgb, currentColor 25%, transparent); }
thead th { border-bottom: 2px solid currentColor; }
tbody th { font-weight: 600; }
@media print { main { max-width: none; padding: 0; } .wide { overflow: visible; }
  tr { break-inside: avoid; } }
"""
