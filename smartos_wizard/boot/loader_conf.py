"""The lines of loader.conf as the loader reads them, and what they set; the console of a GRUB menu.

Pure text. Rules: illumos loader.conf(5), boot/forth/support.4th (the lines) and boot/common/interp_parse.c (what
`set` makes of a value). A file is read up to the first line that breaks the rules; a later file overrides an
earlier one (loader.conf, then loader.conf.local).
"""

from __future__ import annotations

import re

LONGEST = 1022
"""Characters that a name, its `=` and its value may have together (PARSE_BUFSIZE)."""
_LINE = re.compile(
    r"""[ \t]*(?:([A-Za-z][A-Za-z0-9_.,/\-]*)[ \t]*=[ \t]*"""
    r"""("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[A-Za-z0-9/\-][A-Za-z0-9_.,\-@/:]*)[ \t]*)?(?:\#.*)?""",
    re.DOTALL,
)
_OF_MODULES = re.compile(r".+_(load|name|type|hash|flags|before|after|error)\Z")
MASK = "********"
_SECRET = re.compile(r"(root_(?:shadow|password)\s*=\s*).+", re.DOTALL | re.IGNORECASE)
_CRYPT = re.compile(r"\$(?:1|2[abxy]?|5|6|md5)[$,][^\s\"',:]+")
_GRUB_CONSOLE = re.compile(r"^\s*variable\s+os_console\s+(\S+)\s*$", re.MULTILINE)
_GRUB_KERNEL = re.compile(r"^\s*kernel\$?\s.*[,\s]console=([A-Za-z0-9]+)", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Settings in the order of their lines, up to the line at which the loader stops; the last of several wins."""
    settings: dict[str, str] = {}
    for line in text.split("\n"):
        found = _setting(line)
        if found is None:
            break
        if found[0]:
            settings.pop(found[0], None)
            settings[found[0]] = found[1]
    return settings


def nonsense(text: str) -> tuple[str, ...]:
    """The lines that the loader would trip over, for showing: secrets in them are masked."""
    return tuple(masked(line.strip()) for line in text.split("\n") if _setting(line) is None)


def why_it_stops(line: str) -> str:
    """Why the loader stops reading at this line; empty where it does not."""
    if _setting(line) is not None:
        return ""
    if line.endswith("\r"):
        return "it ends with a carriage return (a Windows line end)"
    if _LINE.fullmatch(line):
        return "its value is too long, or a quote or bracket in it is never closed"
    return "it is neither a setting nor a comment"


def masked(line: str) -> str:
    """A line of a settings file for showing: what follows a secret's name, and every crypt string, is covered.

    The cover has one length, which tells nothing.
    """
    return _CRYPT.sub(MASK, _SECRET.sub(rf"\g<1>{MASK}", line))


def merge(*files: str) -> dict[str, str]:
    """The settings after reading these files in order: what a later one says, counts."""
    settings: dict[str, str] = {}
    for text in files:
        settings |= parse(text)
    return settings


def _setting(line: str) -> tuple[str, str] | None:
    """Name and value of a line, both empty where it sets nothing; None where the loader stops at it."""
    match = _LINE.fullmatch(line)
    if match is None:
        return None
    if match[1] is None:
        return "", ""
    written = match[2].replace("\\", "")  # every backslash goes, whatever it stood before
    if _OF_MODULES.fullmatch(match[1]):
        return match[1], written[1:-1] if written.startswith('"') else written
    value = _as_set(written)
    if value is None or len(match[1]) + 1 + len(value) > LONGEST:
        return None
    return match[1], value


def _as_set(written: str) -> str | None:
    """What `set` takes; None where it fails. Variables stay as they are written.

    Each kind of quote is counted inside the other too, so that `"it's"` is never closed. A NUL ends the text.
    """
    value, single, double, at = "", False, False, 0
    written = written.partition("\0")[0]
    while at < len(written):
        each = written[at]
        if each == "$" and not single:
            end = _end_of_variable(written, at)
            if end == 0:
                return None
            value += written[at:end]
            at = end
            continue
        if each == "'":
            single, each = not single, each if double else ""
        elif each == '"':
            double, each = not double, each if single else ""
        value += each
        at += 1
    return None if single or double else value


def _end_of_variable(written: str, at: int) -> int:
    """Where the name that begins at `at` ends; 0 where its bracket is never closed."""
    closing = {"{": "}", "(": ")"}.get(written[at + 1 : at + 2])
    if closing is not None:
        return written.find(closing, at) + 1
    blank = re.compile(r"[ \t\n\v\f\r]").search(written, at)
    return blank.start() if blank else len(written)


def console_of(settings: dict[str, str]) -> str:
    """The console SmartOS itself will use: `os_console`, else the first of `console`; empty where unset.

    smartos-live: tools/build_boot_image writes both.
    """
    chosen = settings.get("os_console", "").strip()
    return chosen or settings.get("console", "").split(",")[0].strip()


def grub_console(menu: str) -> str:
    """The console of a GRUB menu.lst: the variable, else the first kernel line's; `vga` is called text.

    smartos-live: tools/build_iso before 2019-04 (`variable os_console vga`).
    """
    match = _GRUB_CONSOLE.search(menu) or _GRUB_KERNEL.search(menu)
    if match is None:
        return ""
    return "text" if match[1] in ("vga", "text") else match[1]
