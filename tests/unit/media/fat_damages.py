"""Ways to damage a FAT volume, one field at a time, and a finder of the fields. Used here and in the lab.

The finder is simple and trusting on purpose: it is used on sound volumes only and shares no code with the program.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

END32, END16 = 0x0FFFFFFF, 0xFFFF
LONG = "platform/a rather long name of a file.txt"
TREE = {
    "big.bin": b"b" * 10_000,
    "other.bin": b"o" * 9_000,
    "platform/": b"",
    LONG: b"l" * 1500,
    "platform/short.txt": b"s" * 600,
    "platform/twin number 1.txt": b"1" * 512,
    "platform/twin number 2.txt": b"2" * 513,
    "platform/i86pc/amd64/deep/er/unix": b"u" * 700,
    "an empty file.txt": b"",
}
"""What a volume must hold to be damaged here."""


class Fat:
    """Offsets of fields in a sound volume that is a bytearray (or acts like one)."""

    def __init__(self, image: bytearray) -> None:
        self.image = image
        self.sector, self.spc = self.get(11, 2), self.get(13, 1)
        self.reserved, self.fats, roots = self.get(14, 2), self.get(16, 1), self.get(17, 2)
        self.wide = self.get(22, 2) == 0
        self.fat_length = (self.get(36) if self.wide else self.get(22, 2)) * self.sector
        self.root = (self.reserved * self.sector) + self.fats * self.fat_length
        self.data = self.root + roots * 32
        sectors = self.get(19, 2) or self.get(32)
        self.clusters = (sectors * self.sector - self.data) // (self.spc * self.sector)
        self.end = END32 if self.wide else END16

    def get(self, at: int, width: int = 4) -> int:
        return int.from_bytes(self.image[at : at + width], "little")

    def put(self, at: int, value: int, width: int = 4) -> None:
        self.image[at : at + width] = value.to_bytes(width, "little")

    def slot(self, cluster: int, copy: int = 0) -> int:
        return self.reserved * self.sector + copy * self.fat_length + cluster * (4 if self.wide else 2)

    def next(self, cluster: int) -> int:
        return self.get(self.slot(cluster), 4 if self.wide else 2)

    def link(self, cluster: int, value: int) -> None:
        """Set an entry in every copy of the table."""
        for copy in range(self.fats):
            self.put(self.slot(cluster, copy), value, 4 if self.wide else 2)

    def offset(self, cluster: int) -> int:
        return self.data + (cluster - 2) * self.spc * self.sector

    def chain(self, cluster: int) -> list[int]:
        out: list[int] = []
        while 2 <= cluster < self.clusters + 2:
            if len(out) > self.clusters:
                raise ValueError("a circle")
            out.append(cluster)
            cluster = self.next(cluster)
        return out

    def free(self) -> int:
        """A free cluster in the midst of the volume."""
        return next(c for c in range(self.clusters // 2, self.clusters) if self.next(c) == 0)

    def start(self, entry: int) -> int:
        return self.get(entry + 26, 2) | (self.get(entry + 20, 2) << 16 if self.wide else 0)

    def set_start(self, entry: int, cluster: int) -> None:
        self.put(entry + 26, cluster & 0xFFFF, 2)
        if self.wide:
            self.put(entry + 20, cluster >> 16, 2)

    def places(self, directory: str) -> Iterator[int]:
        """Offsets of all slots of a directory."""
        if directory == "" and not self.wide:
            yield from range(self.root, self.data, 32)
            return
        first = self.start(self.entry(directory)) if directory else self.get(44)
        for cluster in self.chain(first):
            yield from range(self.offset(cluster), self.offset(cluster) + self.spc * self.sector, 32)

    def entry(self, path: str) -> int:
        """Offset of the short entry of a path; names are compared by their long form, or short in any case."""
        above, _slash, name = path.rpartition("/")
        long = bytearray()
        for at in self.places(above):
            lead, attributes = self.image[at], self.image[at + 11]
            if lead == 0:
                break
            if attributes == 0x0F:
                long = (
                    self.image[at + 1 : at + 11]
                    + self.image[at + 14 : at + 26]
                    + self.image[at + 28 : at + 32]
                    + long
                )
                continue
            told = long.decode("utf-16-le").split("\0")[0] if long else self._short(at)
            long = bytearray()
            if lead != 0xE5 and told.lower() == name.lower():
                return at
        raise KeyError(path)

    def _short(self, at: int) -> str:
        base, extension = (
            self.image[a:b].decode("cp437").rstrip() for a, b in ((at, at + 8), (at + 8, at + 11))
        )
        return f"{base}.{extension}" if extension else base

    def unused(self, directory: str) -> int:
        """Offset of the end mark of a directory that has room behind it."""
        places = list(self.places(directory))
        index = next(i for i, at in enumerate(places) if self.image[at] == 0)
        assert index + 3 < len(places)
        return places[index]


def _checksum(short: bytes) -> int:
    total = 0
    for byte in short:
        total = ((total >> 1) + ((total & 1) << 7) + byte) & 0xFF
    return total


def _rename(fat: Fat, path: str, short: bytes) -> None:
    """Another short name, the long name before it fitting."""
    at = fat.entry(path)
    fat.image[at : at + 11] = short
    before = at - 32
    while fat.image[before + 11] == 0x0F:
        fat.image[before + 13] = _checksum(short)
        before -= 32


def _mid(fat: Fat, path: str, index: int = 5) -> int:
    return fat.chain(fat.start(fat.entry(path)))[index]


def _poke(offset: int, width: int, change: Callable[[int], int]) -> Callable[[Fat], None]:
    """Change a number at a fixed offset."""
    return lambda fat: fat.put(offset, change(fat.get(offset, width)) & ((1 << width * 8) - 1), width)


def _field(path: str, at: int, width: int, change: Callable[[int], int]) -> Callable[[Fat], None]:
    """Change a number at an offset from the short entry of a path."""

    def damage(fat: Fat) -> None:
        place = fat.entry(path) + at
        fat.put(place, change(fat.get(place, width)) & ((1 << width * 8) - 1), width)

    return damage


def _dot(fat: Fat, index: int) -> int:
    return fat.offset(fat.start(fat.entry("platform/i86pc"))) + 32 * index


def _circle(fat: Fat) -> None:
    chain = fat.chain(fat.start(fat.entry("big.bin")))
    fat.link(chain[-1], chain[0])


def _each(fat: Fat, places: list[int], value: int) -> None:
    for at in places:
        fat.put(at, value, 1)


def _lost_chain(fat: Fat) -> None:
    cluster = fat.free()
    fat.link(cluster, cluster + 1)
    fat.link(cluster + 1, fat.end)


def _grown_empty(fat: Fat) -> None:
    cluster = fat.free()
    fat.link(cluster, fat.end)
    fat.set_start(fat.entry("an empty file.txt"), cluster)


def _same_short(fat: Fat) -> None:
    at = fat.entry("platform/twin number 1.txt")
    _rename(fat, "platform/twin number 2.txt", bytes(fat.image[at : at + 11]))


def _same_long(fat: Fat) -> None:
    _field("platform/twin number 2.txt", -32 + 30, 2, lambda _old: ord("1"))(fat)


def _behind_end(fat: Fat) -> None:
    at = fat.unused("platform/i86pc")
    fat.image[at + 32 : at + 64] = struct.pack("<11sB8xHHHHI", b"GHOST   TXT", 0x20, 0, 0, 0x5821, 0, 0)


def _label_below(fat: Fat) -> None:
    at = fat.unused("platform/i86pc")
    fat.image[at : at + 32] = struct.pack("<11sB8xHHHHI", b"A LABEL    ", 0x08, 0, 0, 0x5821, 0, 0)


def _lost_part(fat: Fat) -> None:
    at = fat.unused("platform/i86pc")
    fat.image[at : at + 32] = struct.pack(
        "<B10sBBB12sH4s", 0x41, b"a\0" * 5, 0x0F, 0, 7, b"a\0" * 6, 0, b"a\0a\0"
    )


def _self_contained(fat: Fat) -> None:
    fat.set_start(fat.entry("platform/i86pc/amd64/deep"), fat.start(fat.entry("platform/i86pc")))


def _link(path: str, index: int, value: Callable[[Fat], int]) -> Callable[[Fat], None]:
    return lambda fat: fat.link(_mid(fat, path, index), value(fat))


Damage = Callable[[Fat], None]
_LONG_AT = -96  # the long name of LONG has 32 characters, three entries

DAMAGES: dict[str, Damage] = {
    "boot mark": _poke(510, 1, lambda _: 0),
    "jump": _poke(0, 1, lambda _: 0),
    "sector size": _poke(11, 2, lambda _: 513),
    "cluster size": _poke(13, 1, lambda _: 3),
    "no tables": _poke(16, 1, lambda _: 0),
    "dirty boot sector": lambda f: f.put(0x41 if f.wide else 0x25, 1, 1),
    "media byte": _poke(21, 1, lambda old: 0xF0 if old != 0xF0 else 0xF8),
    "table copies": lambda f: f.put(f.slot(f.free(), 1), f.end, 4 if f.wide else 2),
    "table begin": lambda f: _each(f, [f.slot(0, c) for c in range(f.fats)], 0),
    "table second entry": lambda f: f.link(1, 5),
    "table dirty": lambda f: f.link(1, 0x07FFFFFF if f.wide else 0x7FFF),
    "chain leaves": _link("big.bin", 5, lambda f: f.clusters + 7),
    "chain to 1": _link("big.bin", 5, lambda _f: 1),
    "chain into free": _link("big.bin", 5, lambda f: f.free()),
    "chain cut free": _link("big.bin", 5, lambda _f: 0),
    "chain bad": _link("big.bin", 5, lambda f: f.end - 8),
    "chain ends early": _link("big.bin", 5, lambda f: f.end),
    "chain circle": _circle,
    "chains crossed": _link("big.bin", 5, lambda f: _mid(f, "other.bin")),
    "start beyond": lambda f: f.set_start(f.entry("big.bin"), f.clusters + 50),
    "start shared": lambda f: f.set_start(f.entry("big.bin"), f.start(f.entry("other.bin"))),
    "size too large": _field("big.bin", 28, 4, lambda old: old + 600),
    "size too small": _field("big.bin", 28, 4, lambda old: old - 600),
    "size zero": _field("big.bin", 28, 4, lambda _: 0),
    "start zero": lambda f: f.set_start(f.entry("big.bin"), 0),
    "empty with cluster": _grown_empty,
    "lost cluster": lambda f: f.link(f.free(), f.end),
    "lost chain": _lost_chain,
    "dot target": lambda f: f.set_start(_dot(f, 0), f.free()),
    "dot name": lambda f: f.put(_dot(f, 0), ord("X"), 1),
    "dotdot target": lambda f: f.set_start(_dot(f, 1), f.free()),
    "dotdot name": lambda f: f.put(_dot(f, 1) + 1, ord("X"), 1),
    "dot no directory": lambda f: f.put(_dot(f, 0) + 11, 0, 1),
    "short star": lambda f: _rename(f, "platform/short.txt", b"SH*RT   TXT"),
    "short lower": lambda f: _rename(f, "platform/short.txt", b"SHoRT   TXT"),
    "short blank first": lambda f: _rename(f, "platform/short.txt", b" HORT   TXT"),
    "short control": lambda f: _rename(f, "platform/short.txt", b"SH\x01RT   TXT"),
    "short twice": _same_short,
    "long order": _field(LONG, _LONG_AT + 32, 1, lambda _: 3),
    "long begin": _field(LONG, _LONG_AT, 1, lambda old: old & ~0x40),
    "long checksum": _field(LONG, _LONG_AT + 32 + 13, 1, lambda old: old ^ 1),
    "long checksums": lambda f: _each(f, [f.entry(LONG) + at + 13 for at in (-96, -64, -32)], 0x55),
    "long type": _field(LONG, _LONG_AT + 12, 1, lambda _: 1),
    "long cluster": _field(LONG, _LONG_AT + 26, 2, lambda _: 3),
    "long padding": _field(LONG, _LONG_AT + 30, 2, lambda _: 0x41),
    "long character": _field(LONG, _LONG_AT + 64 + 1, 2, lambda _: ord("*")),
    "long without short": _field("an empty file.txt", 0, 1, lambda _: 0xE5),
    "long at the end": _lost_part,
    "long twice": _same_long,
    "behind the end": _behind_end,
    "directory size": _field("platform", 28, 4, lambda _: 512),
    "directory start zero": lambda f: f.set_start(f.entry("platform/i86pc/amd64/deep"), 0),
    "directory in itself": _self_contained,
    "directory becomes file": _field("platform/i86pc/amd64/deep", 11, 1, lambda _: 0x20),
    "file becomes directory": _field("platform/short.txt", 11, 1, lambda _: 0x10),
    "attribute bits": _field("big.bin", 11, 1, lambda old: old | 0x80),
    "label below": _label_below,
}
DAMAGES_OF_FAT32: dict[str, Damage] = {
    "backup boot sector": _poke(6 * 512 + 40, 1, lambda old: old ^ 0x10),
    "info mark": _poke(512, 1, lambda _: 0),
    "info second mark": _poke(512 + 484, 1, lambda _: 0),
    "free count": _poke(512 + 488, 4, lambda old: old - 1),
    "free hint": _poke(512 + 492, 4, lambda _: 0x0FFF0000),
    "root cluster": _poke(44, 4, lambda _: 0),
    "version": _poke(42, 2, lambda _: 1),
}
