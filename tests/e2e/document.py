"""Parses README.md and the pages of docs/: code blocks, transcripts, tables and links. Runs nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

TOP = Path(__file__).parents[2]
ELIDED = "..."
"""In a transcript: any text within a line, or any number of lines if it is a line. In an error: a part that varies."""

SHORTEST = 10
"""The minimum length of fixed text by which an error text in the code can be recognized."""


@dataclass(frozen=True)
class Block:
    """A fenced code block, and its heading."""

    kind: str
    heading: str
    text: str

    def __str__(self) -> str:
        return f"{self.heading}: {self.text.partition(chr(10))[0]}"


@dataclass(frozen=True)
class Step:
    """A command of a transcript, and its output."""

    command: str
    output: str

    @property
    def pattern(self) -> re.Pattern[str]:
        """A pattern that the whole real output has to match."""
        return re.compile("".join(map(_line, self.output.splitlines())))


@dataclass(frozen=True)
class Document:
    """A Markdown file, by its path from the top directory."""

    name: str

    def __str__(self) -> str:
        return self.name

    @property
    def path(self) -> Path:
        return TOP / self.name

    @cached_property
    def text(self) -> str:
        return self.path.read_text()

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks."""
        return re.sub(r"^```.*?^```$", "", self.text, flags=re.MULTILINE | re.DOTALL)

    def blocks(self, *kinds: str) -> list[Block]:
        """The code blocks of these kinds, in order."""
        found, heading = [], ""
        fence = re.compile(r"^(?:#+ ([^\n]+)|```(\w+)\n(.*?)^```)$", re.MULTILINE | re.DOTALL)
        for title, kind, text in fence.findall(self.text):
            heading = title or heading
            if kind in kinds:
                found.append(Block(kind, heading, text))
        return found

    def table(self, heading: str) -> list[list[str]]:
        """The rows of the first table under a heading, without its header. Code marks and spaces in cells are kept."""
        section = re.split(r"^#+ ", self.text.partition(f"# {heading}\n")[2], flags=re.MULTILINE)[0]
        rows = [line for line in section.splitlines() if line.startswith("| ")]
        return [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows[1:]]

    def links(self) -> list[str]:
        """The destinations of its links, except web addresses."""
        return [link for link in re.findall(r"\]\(([^)\s]+)\)", self.prose) if "://" not in link]

    def anchors(self) -> set[str]:
        """The anchors of its headings, as they follow `#` in a link."""
        titles = re.findall(r"^#+ (.+)$", self.prose, re.MULTILINE)
        return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


README = Document("README.md")
PAGES = [Document(str(path.relative_to(TOP))) for path in sorted(TOP.glob("docs/*.md"))]


def steps(transcript: str) -> list[Step]:
    """The commands of a transcript."""
    parts = re.split(r"^\$ ", transcript, flags=re.MULTILINE)[1:]
    return [Step(command, output) for command, _, output in (part.partition("\n") for part in parts)]


def code_spans(cell: str) -> list[str]:
    """The text in backticks, single or double."""
    return [double.strip() or single for double, single in re.findall(r"``(.+?)``(?!`)|`([^`]+)`", cell)]


@cache
def messages() -> list[list[str | None]]:
    """Each text in the code, in parts; None is a part that varies. There are thousands, so they are only read on
    demand.
    """
    nodes = (node for path in (TOP / "rdo").rglob("*.py") for node in ast.walk(ast.parse(path.read_text())))
    return [parts for parts in map(_parts, nodes) if sum(map(len, filter(None, parts))) >= SHORTEST]


def is_message(line: str) -> bool:
    """Whether the code has this text, with anything in place of varying parts."""
    likely = (parts for parts in messages() if all(part in line for part in parts if part is not None))
    return any(re.fullmatch("".join(_patterns(parts)), line) for parts in likely)


def _patterns(parts: list[str | None]) -> Iterator[str]:
    """What matches each part. A name in backticks contains none itself, because two names would match as one
    otherwise.
    """
    for before, part, after in zip([None, *parts], parts, [*parts[1:], None], strict=False):
        is_name = (before or "").endswith("`") and (after or "").startswith("`")
        yield re.escape(part) if part is not None else "[^`]+" if is_name else ".+"


def _parts(node: ast.AST) -> list[str | None]:
    """The fixed parts of a string, and None for each part that varies."""
    if isinstance(node, ast.JoinedStr):
        return [str(part.value) if isinstance(part, ast.Constant) else None for part in node.values]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _line(line: str) -> str:
    return "(?:.*\n)*" if line == ELIDED else ".*".join(map(re.escape, line.split(ELIDED))) + "\n"
