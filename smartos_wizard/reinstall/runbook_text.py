"""A runbook for a terminal, in pages of 80 by 24 in ASCII, and as Markdown. Pure."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable

from smartos_wizard.reinstall.runbook import Runbook
from smartos_wizard.reinstall.runbook_steps import Todo

WIDTH = 80
HEIGHT = 24
_BODY = HEIGHT - 2
_MARKS = str.maketrans({"“": '"', "”": '"', "…": "...", "–": "-", "’": "'"})
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~!])")


def pages(book: Runbook) -> list[list[str]]:
    """Pages of 24 lines of at most 80 characters. A step is not cut where it fits on a page."""
    blocks = [block for block in (_head(book), *_lists(book)) if block]
    blocks += [_todo(number, todo) for number, todo in enumerate(book.todos, 1)]
    made: list[list[str]] = [[]]
    for block in blocks:
        if made[-1] and len(made[-1]) + 1 + len(block) > _BODY:
            made.append([])
        lines = ["", *block] if made[-1] else block
        for line in lines:
            if len(made[-1]) == _BODY:
                made.append([])
            made[-1].append(line)
    return [_page(page, number, len(made), book) for number, page in enumerate(made, 1)]


def as_text(book: Runbook) -> str:
    """All pages, one below the other."""
    return "".join(f"{line}\n" for page in pages(book) for line in page)


def _page(lines: list[str], number: int, count: int, book: Runbook) -> list[str]:
    end = f" page {number} of {count} "
    mark = " PRACTICE " if book.practice else ""
    padded = [*lines, *[""] * (_BODY - len(lines))]
    return [*padded, "", f"{mark:-<{WIDTH - len(end) - 2}}{end}--"]


def ascii_of(text: str) -> str:
    """The text in ASCII; what has no ASCII form becomes a question mark."""
    return text.translate(_MARKS).encode("ascii", "replace").decode()


def _wrapped(text: str, head: str = "", below: str | None = None) -> list[str]:
    indent = " " * len(head) if below is None else below
    return textwrap.wrap(ascii_of(text), WIDTH, initial_indent=head, subsequent_indent=indent, break_on_hyphens=False) or [head.rstrip()]  # fmt: skip


def _head(book: Runbook) -> list[str]:
    lines = [*_wrapped(book.title.upper()), "=" * min(WIDTH, len(book.title))]
    if book.practice:
        lines += _wrapped(book.practice)
    for word, fact in book.facts:
        lines += _wrapped(fact, f"{word + ':':<13}")
    return lines


def _lists(book: Runbook) -> Iterable[list[str]]:
    for title, items in sections(book):
        if items:
            box = "[ ] " if items is book.agree else ""
            yield [title.upper(), *(line for item in items for line in _item(item, box))]


def _item(item: str, box: str) -> list[str]:
    below = item.startswith("- ")
    return _wrapped(item.removeprefix("- "), "    - " if below else f"  {box or '* '}")


def sections(book: Runbook) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The lists before the steps, with their titles."""
    return (
        ("What will be destroyed", book.dies), ("What will live", book.lives), ("What is lost with it", book.lost),
        ("Agree to each of these before you begin", book.agree),
    )  # fmt: skip


def _todo(number: int, todo: Todo) -> list[str]:
    lines = _wrapped(todo.title, f"[ ] {number}. ")
    if todo.final:
        lines.append("    *** FROM HERE ON IT CANNOT BE TAKEN BACK ***")
    for word, rows in todo.acts:
        for row in rows:
            lines += _typed(row) if word == "Type" else _wrapped(row, "    do    ")
    for line in todo.see:
        drawn = ascii_of(line)
        lines += [f"    see   {drawn}"] if len(drawn) + 10 <= WIDTH else _wrapped(line, "    see   ")
    for seen, act in todo.otherwise:
        lines += _wrapped(f"{seen}: {act}", "    else  ")
    return lines


def _typed(row: str) -> list[str]:
    """A line to type; a long one is continued with a backslash, as a shell takes it."""
    parts = textwrap.wrap(ascii_of(row), WIDTH - 12, break_on_hyphens=False, break_long_words=False) or [""]
    ends = [*[" \\"] * (len(parts) - 1), ""]
    return [f"{'          ' if at else '    type  '}{part}{end}" for at, (part, end) in enumerate(zip(parts, ends, strict=True))]  # fmt: skip


def as_markdown(book: Runbook) -> str:
    """The runbook as Markdown with check boxes."""
    lines = [f"# {escaped(book.title)}", ""]
    if book.practice:
        lines += [f"**{escaped(book.practice)}**", ""]
    lines += ["| | |", "| --- | --- |", *(f"| {word} | {escaped(fact)} |" for word, fact in book.facts), ""]
    for title, items in sections(book):
        if items:
            box = "[ ] " if items is book.agree else ""
            lines += [f"## {title}", ""]
            lines += [
                f"  - {escaped(i[2:])}" if i.startswith("- ") else f"- {box}{escaped(i)}" for i in items
            ]
            lines.append("")
    lines += ["## Steps", ""]
    for number, todo in enumerate(book.todos, 1):
        lines += _markdown_todo(number, todo)
    return "\n".join(lines).rstrip() + "\n"


def _markdown_todo(number: int, todo: Todo) -> list[str]:
    lines = [f"### [ ] {number}. {escaped(todo.title)}", ""]
    if todo.final:
        lines += ["**From here on it cannot be taken back.**", ""]
    for word, rows in todo.acts:
        lines += _fenced(rows) if word == "Type" else [*(f"- {escaped(row)}" for row in rows), ""]
    if todo.see:
        lines += ["What must be seen:", "", *_fenced(todo.see)]
    if todo.otherwise:
        lines += ["Otherwise:", ""]
        lines += [f"- {escaped(seen)}: {escaped(act)}" for seen, act in todo.otherwise]
        lines.append("")
    return lines


def _fenced(rows: tuple[str, ...]) -> list[str]:
    if not rows:
        return []
    longest = max((len(found) for row in rows for found in re.findall("`+", row)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, *rows, fence, ""]


def escaped(text: str) -> str:
    """The text so that Markdown shows it letter by letter."""
    return _SPECIAL.sub(r"\\\1", text)
