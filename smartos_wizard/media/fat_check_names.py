"""The entries of one directory of a FAT volume under judgement: dots, short names, long names, bits.

Rules: Microsoft's FAT specification (fatgen103), "FAT Directory Structure" and "FAT Long Directory Entries".
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from smartos_wizard.core.text import tame
from smartos_wizard.media.fat_check_boot import Findings

_LABEL, _DIRECTORY, _LONG, _UNUSED_BITS = 0x08, 0x10, 0x0F, 0xC0
_DOT, _DOTDOT = b".          ", b"..         "
_SHORT_BAD = frozenset(range(0x20)) | frozenset(b'"*+,./:;<=>?[\\]|\x7fabcdefghijklmnopqrstuvwxyz')
_LONG_BAD = frozenset('"*/:<>?\\|') | frozenset(map(chr, range(0x20)))
_LONGEST = 255


@dataclass(frozen=True, slots=True)
class Item:
    """A file or directory as its entry tells: `name` as people see it, made safe to print."""

    name: str
    directory: bool
    cluster: int
    size: int


@dataclass(slots=True)
class _Part:
    """An entry of a long name."""

    order: int
    checksum: int
    units: bytes


@dataclass(slots=True)
class Reader:
    """Reads one directory. `own` and `parent` are cluster numbers, 0 for the root directory."""

    path: str
    own: int
    parent: int
    wide: bool
    say: Findings
    _parts: list[_Part] = field(default_factory=list)
    _shorts: set[bytes] = field(default_factory=set)
    _longs: set[str] = field(default_factory=set)
    _aliases: set[str] = field(default_factory=set)
    _labels: int = 0

    def items(self, raw: bytes) -> list[Item]:
        """What is in the directory whose clusters hold `raw`, the dots left out; faults go to `say`."""
        found: list[Item] = []
        if self.own and raw:
            if raw[:11] != _DOT and raw[32:43] != _DOTDOT:
                self.say(f"{self.path} is called a directory, but does not begin like one.")
                return found
            self._dots(raw)
        end = len(raw) - len(raw) % 32
        for at in range(0 if not self.own else 64, end, 32):
            lead = raw[at]
            if lead == 0:
                end = at
                break
            if lead == 0xE5:
                self._orphan()
            elif raw[at + 11] & 0x3F == _LONG:
                self._long(raw[at : at + 32])
            else:
                item = self._short(raw[at : at + 32])
                if item is not None:
                    found.append(item)
        self._orphan()
        for name in sorted(self._aliases & self._longs):
            self.say(
                f"In {self.path} the name {tame(name, _LONGEST)} is also the short name of another entry."
            )
        if any(lead not in (0, 0xE5) for lead in raw[end::32]):
            self.say(f"In {self.path} there are entries behind the end mark.")
        return found

    def _dots(self, raw: bytes) -> None:
        for at, name, target in ((0, _DOT, self.own), (32, _DOTDOT, self.parent)):
            entry = raw[at : at + 32]
            shown = name.decode().rstrip()
            if entry[:11] != name or not entry[11] & _DIRECTORY or entry[11] & (_LABEL | _UNUSED_BITS):
                self.say(f"In {self.path} the entry `{shown}` is not where it belongs.")
            elif self._cluster(entry) != target:
                self.say(
                    f"In {self.path} the entry `{shown}` points to cluster {self._cluster(entry)}, not {target}."
                )
            elif entry[28:32] != bytes(4):
                self.say(f"In {self.path} the entry `{shown}` has a size.")

    def _cluster(self, entry: bytes) -> int:
        low: int = struct.unpack_from("<H", entry, 26)[0]
        high: int = struct.unpack_from("<H", entry, 20)[0] if self.wide else 0
        return high << 16 | low

    def _long(self, entry: bytes) -> None:
        order = entry[0]
        if order & 0x40:
            self._orphan()
        expected = self._parts[-1].order - 1 if self._parts else order & 0x3F
        wrong = (not self._parts and not order & 0x40) or order & 0x80 or (order & 0x3F) != expected
        if wrong or not 1 <= expected <= 20:
            self._parts.append(_Part(0, -1, b""))  # told once, where the name ends
            return
        if entry[11] != _LONG or entry[12] or entry[26:28] != b"\0\0":
            self.say(f"In {self.path} a part of a long name has bits that it must not have.")
        if self._parts and self._parts[-1].checksum != entry[13]:
            self._parts.append(_Part(0, -1, b""))
            return
        self._parts.append(_Part(expected, entry[13], entry[1:11] + entry[14:26] + entry[28:32]))

    def _orphan(self) -> None:
        if self._parts:
            self.say(f"In {self.path} there are parts of a long name that belong to no file.")
            self._parts.clear()

    def _short(self, entry: bytes) -> Item | None:
        short, attributes = entry[:11], entry[11]
        if attributes & _UNUSED_BITS:
            self.say(f"In {self.path} the entry {_shown(short)} has attribute bits that do not exist.")
        if attributes & _LABEL:
            self._orphan()
            self._label(entry)
            return None
        name = self._long_name(short)
        shown = tame(name or _cased(short, entry[12]), _LONGEST).replace("/", "_") or _shown(short)
        self._judge_short(short)
        self._judge_long(name, short)
        size: int = struct.unpack_from("<I", entry, 28)[0]
        return Item(shown, bool(attributes & _DIRECTORY), self._cluster(entry), size)

    def _label(self, entry: bytes) -> None:
        self._labels += 1
        if self.own:
            self.say(f"In {self.path} there is a volume label, which belongs into the root directory.")
        elif self._labels > 1:
            self.say("The root directory has more than one volume label.")
        if entry[11] & _DIRECTORY or self._cluster(entry) or entry[28:32] != bytes(4):
            self.say(f"In {self.path} a volume label has a size, contents or the bit of a directory.")

    def _judge_short(self, short: bytes) -> None:
        body = b"\xe5" + short[1:] if short[0] == 0x05 else short
        if short[0] == 0x20 or not _SHORT_BAD.isdisjoint(body) or short in (_DOT, _DOTDOT):
            self.say(f"In {self.path} the short name {_shown(short)} is not allowed.")
        if short in self._shorts:
            self.say(f"In {self.path} the short name {_shown(short)} is there twice.")
        self._shorts.add(short)

    def _judge_long(self, name: str, short: bytes) -> None:
        folded = _folded(name or _plain(short))
        if folded in self._longs:
            self.say(f"In {self.path} the name {tame(name or _plain(short), _LONGEST)} is there twice.")
        self._longs.add(folded)
        alias = _folded(_plain(short))
        if alias != folded:
            self._aliases.add(alias)
        if name and (len(name) > _LONGEST or not _LONG_BAD.isdisjoint(name)):
            self.say(f"In {self.path} the long name of {_shown(short)} has characters that are not allowed.")

    def _long_name(self, short: bytes) -> str:
        """The long name that stands before the short one, empty where there is none or a broken one."""
        parts, self._parts = self._parts, []
        if not parts:
            return ""
        units = b"".join(part.units for part in reversed(parts))
        name, padding = _cut(units)
        fine = parts[-1].order == 1 and all(part.order for part in parts)
        if not fine or parts[0].checksum != _checksum(short):
            self.say(f"In {self.path} the long name before {_shown(short)} does not belong to it.")
            return ""
        if not name or len(units) - len(name) >= 26 + 2 or padding.strip(b"\xff"):
            self.say(f"In {self.path} the long name of {_shown(short)} does not end as it should.")
        return name.decode("utf-16-le", "replace")


def _cut(units: bytes) -> tuple[bytes, bytes]:
    """The name up to its end, and the padding behind the end."""
    end = next((i for i in range(0, len(units), 2) if units[i : i + 2] == b"\0\0"), len(units))
    return units[:end], units[end + 2 :]


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = (total >> 1 | (total & 1) << 7) + byte & 0xFF
    return total


def _plain(short: bytes) -> str:
    base, extension = (part.decode("cp437").rstrip(" ") for part in (short[:8], short[8:]))
    return f"{base}.{extension}" if extension else base


def _cased(short: bytes, flags: int) -> str:
    """The short name in the case that two bits note (Linux, fs/fat/dir.c)."""
    base, dot, extension = _plain(short).partition(".")
    return (base.lower() if flags & 0x08 else base) + dot + (extension.lower() if flags & 0x10 else extension)


def _shown(short: bytes) -> str:
    return tame(_plain(short)) or "(without a name)"


def _folded(name: str) -> str:
    return name.upper() if name.isascii() else "".join(c.upper() if len(c.upper()) == 1 else c for c in name)
