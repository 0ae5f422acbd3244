"""Reading and changing .vmx files: lines of `key = "value"`, of which VMware takes the keys in any case.

What is changed is changed in its place; every other line stays byte for byte. The same key twice, in whatever
case, makes VMware refuse the file, so there is never more than one (libvirt, src/vmx/vmx.c; VMware's own files).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

_LINE = re.compile(r"""\s*([^\s=#"'][^=]*?)\s*=\s*(.*?)\s*\Z""")
_ESCAPED = re.compile(r"\|([0-9A-Fa-f]{2})")
_SPECIAL = {'"': "|22", "|": "|7C", "\n": "|0A", "\r": "|0D"}


class Vmx:
    """The text of a .vmx file as keys and values. Keys keep the case they have; looking up ignores it."""

    def __init__(self, text: str = "") -> None:
        self._lines = text.removeprefix("\ufeff").split("\n")
        if self._lines[-1] == "":
            self._lines.pop()
        self._end = "\r" if self._lines and self._lines[0].endswith("\r") else ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> Vmx:
        """A new file with these values, in their order."""
        made = cls()
        made.update(values)
        return made

    @classmethod
    def decode(cls, data: bytes) -> Vmx:
        """A file as it lies on the disk: in the encoding it names itself, else UTF-8, else Windows-1252."""
        named = re.search(rb'^\s*\.encoding\s*=\s*"([^"]{1,32})"', data, re.MULTILINE | re.IGNORECASE)
        names = [named[1].decode("ascii", "replace")] if named else []
        for encoding in (*names, "utf-8", "cp1252"):
            try:
                return cls(data.decode(encoding))
            except (LookupError, UnicodeDecodeError):
                continue
        return cls(data.decode("latin-1"))

    @property
    def text(self) -> str:
        """The whole file."""
        return "".join(f"{line}\n" for line in self._lines)

    def get(self, key: str, default: str = "") -> str:
        """The value of a key, unescaped; of several the last, as VMware takes it."""
        found = default
        for name, value in self.items():
            if name.lower() == key.lower():
                found = value
        return found

    def true(self, key: str, *, absent: bool = False) -> bool:
        """Whether a key says TRUE; `absent` is what counts where it is not there."""
        value = self.get(key)
        return value.lower() in ("true", "yes", "1") if value else absent

    def items(self) -> Iterator[tuple[str, str]]:
        """Every key with its value, in the order of the file, doubles too."""
        for line in self._lines:
            parts = _parts(line)
            if parts is not None:
                yield parts

    def names(self) -> tuple[str, ...]:
        """Every key, as it is written."""
        return tuple(name for name, _value in self.items())

    def set(self, key: str, value: str) -> None:
        """Give a key a value: in its place and with its old spelling where it is there, at the end where not."""
        at = self._at(key)
        if not at:
            self._lines.append(_line(key, value) + self._end)
            return
        parts = _parts(self._lines[at[0]])
        if len(at) > 1 or parts is None or parts[1] != value:
            self._lines[at[0]] = _line(parts[0] if parts else key, value) + self._end
        self._drop(at[1:])

    def update(self, values: Mapping[str, str]) -> None:
        """Set several."""
        for key, value in values.items():
            self.set(key, value)

    def remove(self, *keys: str) -> None:
        """Remove keys, all their doubles too."""
        for key in keys:
            self._drop(self._at(key))

    def _at(self, key: str) -> list[int]:
        found = []
        for number, line in enumerate(self._lines):
            parts = _parts(line)
            if parts is not None and parts[0].lower() == key.lower():
                found.append(number)
        return found

    def _drop(self, numbers: list[int]) -> None:
        for number in reversed(numbers):
            del self._lines[number]


def escape(value: str) -> str:
    """A value as it stands between the quotes."""
    return "".join(_SPECIAL.get(letter, letter) for letter in value)


def unescape(value: str) -> str:
    """The inverse of `escape`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)


def _line(key: str, value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.:\-]+", key):
        raise ValueError(f"no key of a .vmx file: {key!r}")
    return f'{key} = "{escape(value)}"'


def _parts(line: str) -> tuple[str, str] | None:
    """Key and value of a line, None for a remark or anything else. A value without quotes counts as well."""
    match = _LINE.match(line)
    if match is None:
        return None
    value = match[2]
    if value[:1] == '"':
        end = value.find('"', 1)
        value = value[1:end] if end > 0 else value[1:]
    else:
        value = value.partition("#")[0].rstrip()
    return match[1], unescape(value)
