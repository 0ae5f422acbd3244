"""A runbook as one HTML file: nothing outside it is needed, and printed it becomes a clean PDF. Pure."""

from __future__ import annotations

from html import escape

from smartos_wizard.reinstall.runbook import Runbook
from smartos_wizard.reinstall.runbook_steps import Todo
from smartos_wizard.reinstall.runbook_text import sections

_STYLE = """
body { font: 11pt/1.4 system-ui, sans-serif; color: #111; background: #fff; max-width: 48em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.6em; margin-bottom: .3em; } h2 { font-size: 1.2em; margin-top: 1.6em; }
table { border-collapse: collapse; } th { text-align: left; font-weight: 600; padding: .1em 1em .1em 0; vertical-align: top; }
pre { font: 10pt/1.35 ui-monospace, monospace; background: #f3f3f3; border: 1px solid #ccc; padding: .5em .7em; margin: .4em 0;
  white-space: pre-wrap; overflow-wrap: anywhere; }
.step { border: 1px solid #999; padding: .6em .9em; margin: .8em 0; break-inside: avoid; }
.step h3 { font-size: 1.05em; margin: 0 0 .4em; } .final { border: 3px solid #a00; } .final .back { color: #a00; font-weight: 700; }
.box { display: inline-block; width: .8em; height: .8em; border: 1.5px solid #111; margin-right: .5em; }
.word { font-size: .85em; color: #444; margin: .5em 0 0; } .sub { margin-left: 1.4em; list-style: "\\2013\\0020"; }
.practice { border: 2px dashed #06c; color: #06c; padding: .4em .8em; font-weight: 700; }
@page { size: A4; margin: 16mm; }
@media print { body { margin: 0; max-width: none; font-size: 10pt; } h2 { break-after: avoid; } pre { background: #fff; } }
"""


def as_html(book: Runbook) -> str:
    """The whole page."""
    title = escape(book.title)
    rows = "".join(f"<tr><th>{escape(word)}</th><td>{escape(fact)}</td></tr>\n" for word, fact in book.facts)
    practice = f'<p class="practice">{escape(book.practice)}</p>\n' if book.practice else ""
    lists = "".join(_list(name, items, boxes=items is book.agree) for name, items in sections(book) if items)
    steps = "".join(_step(number, todo) for number, todo in enumerate(book.todos, 1))
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8"/>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1"/>\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{practice}"
        f"<table>\n{rows}</table>\n{lists}<h2>Steps</h2>\n{steps}</body>\n</html>\n"
    )


def _list(title: str, items: tuple[str, ...], *, boxes: bool) -> str:
    box = '<span class="box"></span>' if boxes else ""
    rows = "".join(
        f'<li class="sub">{escape(item[2:])}</li>\n' if item.startswith("- ") else f"<li>{box}{escape(item)}</li>\n"
        for item in items
    )  # fmt: skip
    return f"<h2>{escape(title)}</h2>\n<ul>\n{rows}</ul>\n"


def _step(number: int, todo: Todo) -> str:
    parts = [f'<h3><span class="box"></span>{number}. {escape(todo.title)}</h3>\n']
    if todo.final:
        parts.append('<p class="back">From here on it cannot be taken back.</p>\n')
    parts += [_lines(word, rows) if word == "Type" else _items(word, rows) for word, rows in todo.acts]
    parts.append(_lines("See", todo.see))
    parts.append(_items("Otherwise", tuple(f"{seen}: {act}" for seen, act in todo.otherwise)))
    return f'<section class="step{" final" if todo.final else ""}">\n{"".join(parts)}</section>\n'


def _lines(word: str, rows: tuple[str, ...]) -> str:
    if not rows:
        return ""
    text = "\n".join(map(escape, rows))
    return f'<p class="word">{word}</p>\n<pre>{text}</pre>\n'


def _items(word: str, rows: tuple[str, ...]) -> str:
    if not rows:
        return ""
    items = "".join(f"<li>{escape(row)}</li>\n" for row in rows)
    return f'<p class="word">{word}</p>\n<ul>\n{items}</ul>\n'
