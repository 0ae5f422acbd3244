"""The lines of loader.conf and what they set; the console of a GRUB menu.

Pure text. The format is illumos' loader.conf(5): `name="value"`, one per line, `#` comments; a later file
overrides an earlier one (loader.conf, then loader.conf.local).
"""

from __future__ import annotations

import re

_LINE = re.compile(
    r"""^\s*([A-Za-z_][\w.\-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s#"']*))\s*(?:\#.*)?$""", re.ASCII
)
_GRUB_CONSOLE = re.compile(r"^\s*variable\s+os_console\s+(\S+)\s*$", re.MULTILINE)
_GRUB_KERNEL = re.compile(r"^\s*kernel\$?\s.*[,\s]console=([A-Za-z0-9]+)", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """Settings in the order of their lines; the last of several wins. Lines that make no sense are left out."""
    settings: dict[str, str] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            settings.pop(match[1], None)
            settings[match[1]] = next(v for v in (match[2], match[3], match[4], "") if v is not None)
    return settings


def nonsense(text: str) -> tuple[str, ...]:
    """The lines that the loader would trip over: neither empty, nor a comment, nor a setting."""
    lines = (line.strip() for line in text.splitlines())
    return tuple(line for line in lines if line and not line.startswith("#") and not _LINE.match(line))


def merge(*files: str) -> dict[str, str]:
    """The settings after reading these files in order: what a later one says, counts."""
    settings: dict[str, str] = {}
    for text in files:
        settings |= parse(text)
    return settings


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
