"""What the small kernel of the boot tests told, and on which console."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

CONSOLES = ("ttya", "ttyb", "ttyc", "ttyd")
ENDED = 0x2A * 2 + 1  # how QEMU's isa-debug-exit tells that the kernel said 0x2A


@dataclass
class Heard:
    """What came out: `consoles` by name (text is the screen), `code` QEMU's exit code, `screen` what stood on it."""

    consoles: dict[str, str]
    code: int | None
    screen: str = ""

    @property
    def spoke(self) -> set[str]:
        """The consoles on which anything came."""
        return {name for name, text in self.consoles.items() if text.strip()}

    def told(self, console: str) -> Told:
        """The report on that console, taken apart."""
        said, found = self.consoles[console].replace("\r", ""), Told()
        for line in said.splitlines():
            word, _, rest = line.partition(" ")
            if word == "line":
                found.line = _plain(rest)
            elif word == "divisor":
                found.divisor = int(rest, 16)
            elif word == "property":
                name, _, value = rest.partition("=")
                found.properties[_plain(name)] = _plain(value)
            elif word == "module":
                size, sum_, first, words = rest.split(" ", 3)
                path, *arguments = _plain(words).split()
                found.modules[path] = Module(
                    int(size, 16), int(sum_, 16), bytes.fromhex(first), set(arguments)
                )
            elif word == "end":
                found.whole = True
        assert found.whole, f"no whole report on {console}: {said!r}\n{self.screen}"
        return found


@dataclass
class Module:
    """A boot module as the kernel saw it; `checksum` is FNV-1a of its bytes."""

    size: int
    checksum: int
    first: bytes
    arguments: set[str]


@dataclass
class Told:
    """The kernel's report."""

    line: str = ""
    divisor: int = 0
    properties: dict[str, str] = field(default_factory=dict)
    modules: dict[str, Module] = field(default_factory=dict)
    whole: bool = False


def checksum(data: bytes) -> int:
    """FNV-1a, 32 bits."""
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _plain(text: str) -> str:
    return re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text)
