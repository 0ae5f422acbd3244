"""Writes docs/commands.md from the commands' own help, so that the two cannot differ."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from smartos_wizard.cli.main import cli

REPORT = Path(__file__).resolve().parents[1] / "docs" / "commands.md"

HEAD = """# Commands

Made from the commands' own `--help` by `make docs`.

`smartos-wizard` alone opens the wizard; everything it does has a command here, with the same plan behind it.
stdout is data, everything else goes to stderr. With `--json` an answer is one JSON document, and running work
is one event per line, the last line being the result. Nothing asks questions: what destroys data needs
`--confirm` with the name of what is destroyed, and without it nothing happens.

## Exit codes

| Code | Meaning |
| --- | --- |
| 0 | done; for `key write` and `key check` also: proven |
| 1 | failed |
| 2 | the words of the command do not make sense |
| 3 | cancelled |
| 4 | refused by a safety check; nothing was changed |
| 5 | network or download |
| 6 | checksum: wrong, missing or not readable |
| 7 | writing failed, or the image's stream is corrupt |
| 8 | proof failed: what is on the key is not the image |
| 9 | not the rights to open the disk |
| 10 | the device or host went away |
| 130 | interrupted |

Errors in JSON carry `reference` (a name that does not change), `message`, `hint`, `exit_code`, and for a failed
proof `offset`, the first differing byte.
"""


def _walk(command: click.Command, context: click.Context, depth: int) -> list[str]:
    lines = [f"{'#' * min(depth, 4)} {context.command_path}", "", "```", command.get_help(context), "```", ""]
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            if child is None or child.hidden:
                continue
            # The width is fixed so that the page does not depend on the terminal.
            inner = click.Context(
                child, parent=context, info_name=name, terminal_width=100, max_content_width=100
            )
            lines += _walk(child, inner, depth + 1)
    return lines


def page() -> str:
    """The whole page."""
    context = click.Context(cli, info_name="smartos-wizard", terminal_width=100, max_content_width=100)
    text = "\n".join([HEAD, *_walk(cli, context, 2)])
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit(
            0 if REPORT.read_text(encoding="utf-8") == page() else "docs/commands.md is old: run make docs"
        )
    REPORT.write_text(page(), encoding="utf-8")
