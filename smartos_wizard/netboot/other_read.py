"""Reads a PXELINUX file and a GRUB file far enough to know every file they load. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MODULE = re.compile(r"^\s*(?:multiboot|module)\s+(\S+)")


@dataclass(frozen=True, slots=True)
class Read:
    """Files that are loaded, by path from the root of the tree, each with its line; and what is wrong."""

    loads: tuple[tuple[int, str], ...]
    problems: tuple[tuple[int, str], ...] = ()


def read_pxelinux(text: str) -> Read:
    """What the entries for mboot.c32 load (`APPEND kernel … --- module …`)."""
    loads: list[tuple[int, str]] = []
    problems: list[tuple[int, str]] = []
    labels: set[str] = set()
    default = ""
    mboot = False
    for number, line in enumerate(text.splitlines(), 1):
        word, _, rest = line.strip().partition(" ")
        match word.upper():
            case "LABEL":
                labels.add(rest.strip())
                mboot = False
            case "DEFAULT":
                default = rest.strip()
            case "KERNEL" | "COM32":
                mboot = rest.strip().endswith("mboot.c32")
            case "APPEND" if mboot:
                loads += [(number, part.split()[0]) for part in rest.split(" --- ") if part.split()]
            case _:
                continue
    if default and default not in labels and not default.endswith(".c32"):
        problems.append((1, f"DEFAULT names {default}, and there is no such label"))
    return Read(tuple(loads), tuple(problems))


def read_grub(text: str) -> Read:
    """What `multiboot` and `module` load; an address with a device or a variable in it is passed over."""
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = _MODULE.match(line)
        if match and not match[1].startswith(("(", "$", "-")):
            found.append((number, match[1].lstrip("/")))
    return Read(tuple(found))
