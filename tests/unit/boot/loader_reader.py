"""The loader's reading of loader.conf and the kernel's of a GRUB line, for tests: written after their own sources.

illumos: boot/forth/support.4th (get_assignment, process_assignment), boot/common/interp_parse.c (what `set` makes of
its words) and uts/i86pc/os/fakebop.c (build_boot_properties). Shares nothing with the writers: bytes, one at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LETTERS = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
DIGITS = frozenset(b"0123456789-")  # digit? of support.4th takes the dash as well
IN_NAME = LETTERS | DIGITS | frozenset(b"_.-,/")
IN_VALUE = LETTERS | DIGITS | frozenset(b"_.,-@/:")
SPACES = frozenset(b" \t\n\v\f\r")
SUFFIXES = ("_load", "_name", "_type", "_hash", "_flags", "_before", "_after", "_error")
BUFFER = 1024


class Syntax(Exception):
    """ESYNTAX, or a `set` that fails: the rest of the file is not read."""


@dataclass
class Loader:
    """The loader's environment, its modules, and the number of the line at which it stopped, if it did."""

    environment: dict[str, str] = field(default_factory=dict)
    modules: dict[str, dict[str, str]] = field(default_factory=dict)
    stopped: int | None = None

    def read(self, data: bytes) -> Loader:
        for number, line in enumerate(data.split(b"\n"), 1):
            try:
                found = assignment(line)
                if found is not None:
                    self._assign(*found)
            except Syntax:
                self.stopped = number
                break
        return self

    def _assign(self, name: str, value: bytes) -> None:
        for suffix in SUFFIXES:
            if name.endswith(suffix) and len(name) > len(suffix):
                bare = value[1:-1] if value.startswith(b'"') else value
                options = self.modules.setdefault(name[: -len(suffix)], {})
                options[suffix[1:]] = bare.decode("latin-1")
                return
        words = self._parsed(name.encode() + b"=" + value)
        if len(words) != 1:
            raise Syntax("set takes one word")
        left, _, right = words[0].partition(b"=")
        self.environment[left.decode("latin-1")] = right.decode("latin-1")

    def _parsed(self, text: bytes) -> list[bytes]:
        """parse() of interp_parse.c: words, with quotes taken away and variables put in. C ends a text at a NUL."""
        text = text.split(b"\0", 1)[0]
        words: list[bytes] = []
        word = b""
        quote = dquote = False
        at = 0
        while at < len(text):
            c = text[at]
            if c == 0x27:
                quote = not quote
                word += b"'" if dquote else b""
                at += 1
            elif c == 0x22:
                dquote = not dquote
                word += b'"' if quote else b""
                at += 1
            elif c in SPACES and not quote and not dquote:
                if word:
                    words.append(word)
                word = b""
                at += 1
            elif c == 0x24 and not quote:
                closing = {0x7B: 0x7D, 0x28: 0x29}.get(text[at + 1] if at + 1 < len(text) else 0)
                start = at + 2 if closing else at + 1
                end = start
                while end < len(text) and (text[end] != closing if closing else text[end] not in SPACES):
                    end += 1
                if closing and end == len(text):
                    raise Syntax("no closing bracket")
                word += self.environment.get(text[start:end].decode("latin-1"), "").encode("latin-1")
                at = end + 1 if closing else end
            else:
                word += bytes([c])
                at += 1
            if len(word) > BUFFER - 1:
                raise Syntax("too long")
        if quote or dquote:
            raise Syntax("missing quote")
        return [*words, word] if word else words

    def loads(self) -> dict[str, str]:
        """Every file that is loaded, by what SmartOS calls it below /system/boot: where it lies on the medium."""
        found = {}
        for options in self.modules.values():
            if options.get("load", "").lower() == "yes" and options.get("type") == "file":
                words = options.get("flags", "").split()
                name = next((w.removeprefix("name=") for w in words if w.startswith("name=")), "")
                found[name] = options.get("name", "")
        return found


def assignment(line: bytes) -> tuple[str, bytes] | None:
    """get_assignment: name and value with its quotes, None for nothing and for comments; raises Syntax."""

    def blanks(at: int) -> int:
        while at < len(line) and line[at] in b" \t":
            at += 1
        return at

    def here(at: int) -> int:
        return line[at] if at < len(line) else -1

    at = blanks(0)
    if here(at) in (-1, 0x23):
        return None
    if here(at) not in LETTERS:
        raise Syntax("no name")
    start = at
    while here(at) in IN_NAME:
        at += 1
    name = line[start:at].decode()
    at = blanks(at)
    if here(at) != 0x3D:
        raise Syntax("no =")
    at = blanks(at + 1)
    start = at
    first = here(at)
    if first in (0x22, 0x27):
        at += 1
        while here(at) != first:
            if here(at) == 0x5C:
                at += 1
            if at >= len(line):
                raise Syntax("never closed")
            at += 1
            if at >= len(line):
                raise Syntax("never closed")
        at += 1
    elif first in LETTERS or first in DIGITS or first == 0x2F:
        while here(at) in IN_VALUE:
            at += 1
    else:
        raise Syntax("no value")
    value = line[start:at].replace(b"\\", b"")
    at = blanks(at)
    if here(at) not in (-1, 0x23):
        raise Syntax("more after the value")
    return name, value


def boot_properties(command: str) -> tuple[dict[str, str], str]:
    """What the kernel makes of its command line: its properties, and its own arguments (fakebop.c)."""
    found: dict[str, str] = {}
    arguments = ""
    at = len(command) - len(command.lstrip())
    while at < len(command) and not command[at].isspace():
        at += 1
    while at < len(command):
        if not (command[at].isspace() and command[at + 1 : at + 3] == "-B"):
            arguments += command[at]
            at += 1
            continue
        at += 3
        while at < len(command) and command[at].isspace():
            at += 1
        while at < len(command) and not command[at].isspace():
            equals = command.find("=", at)
            if equals < 0:
                break
            name, start = command[at:equals], equals + 1
            end, quoted = start, ""
            if command[end : end + 1] in ("'", '"') and command[end : end + 1]:
                quoted = command[end]
                end += 1
            while end < len(command):
                if quoted:
                    if command[end] == quoted:
                        quoted = ""
                elif command[end] == "," or command[end].isspace():
                    break
                end += 1
            value = command[start:end]
            if value and value[0] == value[-1] and value[0] in "'\"":
                value = value[1:-1]
            found[name] = value or "true"
            at = end
            while command[at : at + 1] == ",":
                at += 1
    return found, arguments
