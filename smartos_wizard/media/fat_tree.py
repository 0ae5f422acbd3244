"""Directories of a FAT volume: names short and long, and which clusters everything gets.

Pure: turns a mapping of paths into directory bytes and cluster numbers. Imports nothing of this program.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

_SHORT_OK = re.compile(r"[A-Z0-9$%'\-_@~`!(){}^#&]+\Z")
_DIRECTORY, _ARCHIVE, _VOLUME, _LONG = 0x10, 0x20, 0x08, 0x0F
# 2024-01-01 00:00: the same tree gives the same bytes.
_DATE, _TIME = ((2024 - 1980) << 9) | (1 << 5) | 1, 0


@dataclass(frozen=True, slots=True)
class Stretch:
    """File content too large to hold: `size` bytes that `chunks()` yields, anew each time it is called."""

    size: int
    chunks: Callable[[], Iterator[bytes]]


Content = bytes | Stretch


@dataclass(slots=True)
class _Node:
    name: str
    content: Content | None = None
    children: dict[str, _Node] = field(default_factory=dict)
    first: int = 0
    clusters: int = 0

    @property
    def size(self) -> int:
        if self.content is None:
            return 0
        return len(self.content) if isinstance(self.content, bytes) else self.content.size


@dataclass(frozen=True, slots=True)
class Placed:
    """A tree with its clusters. `clusters` are in use, from cluster 2 on without a gap."""

    clusters: int
    last_clusters: tuple[int, ...]
    _root: _Node
    _label: str
    _cluster_size: int

    def data(self) -> Iterator[tuple[int, bytes]]:
        """(first cluster, bytes) of everything, in rising order, each padded to whole clusters."""
        yield from self._data(self._root, self._root)

    def _data(self, node: _Node, parent: _Node) -> Iterator[tuple[int, bytes]]:
        if node.content is None:
            entries = _directory(node, parent, self._label if node is self._root else "", self._root)
            yield node.first, entries.ljust(node.clusters * self._cluster_size, b"\0")
            for child in node.children.values():
                yield from self._data(child, node)
        elif node.clusters:
            yield from self._file(node)

    def _file(self, node: _Node) -> Iterator[tuple[int, bytes]]:
        at, held, content = node.first, b"", node.content
        chunks = iter((content,)) if isinstance(content, bytes) else content.chunks() if content else iter(())
        left = node.size
        for chunk in chunks:
            held = held + chunk if held else chunk
            left -= len(chunk)
            whole = len(held) - len(held) % self._cluster_size
            if whole:
                yield at, held[:whole]
                at, held = at + whole // self._cluster_size, held[whole:]
        if left:
            raise ValueError(f"{node.name}: content of another size than announced")
        if held:
            yield at, held.ljust(self._cluster_size, b"\0")


def short_label(label: str) -> bytes:
    """A volume label as the boot sector and the root directory hold it: eleven upper-case bytes."""
    return (label.upper() or "NO NAME").encode("ascii", "replace")[:11].ljust(11)


def place(label: str, files: Mapping[str, Content], cluster_size: int) -> Placed:
    """Give every file and directory its clusters: a directory before what is in it, all in sequence.

    A path ending in `/` makes an empty directory. Raises ValueError where a file is used as a directory.
    """
    root = _Node("")
    for path, content in files.items():
        _add(root, path, content)
    lasts: list[int] = []
    following = _allocate(root, root, 2, cluster_size, lasts, bool(label))
    return Placed(following - 2, tuple(lasts), root, label, cluster_size)


def _add(root: _Node, path: str, content: Content) -> None:
    node = root
    *parents, name = path.strip("/").split("/")
    for part in [*parents, name] if path.endswith("/") else parents:
        node = node.children.setdefault(part, _Node(part))
        if node.content is not None:
            raise ValueError(f"{part} is a file, so {path} cannot be in it")
    if not path.endswith("/"):
        node.children[name] = _Node(name, content)


def _allocate(node: _Node, root: _Node, at: int, cluster_size: int, lasts: list[int], label: bool) -> int:
    size = node.size if node.content is not None else _directory_size(node, node is root, label)
    node.clusters = -(-size // cluster_size)
    node.first = at if node.clusters else 0
    at += node.clusters
    if node.clusters:
        lasts.append(at - 1)
    for child in node.children.values():
        at = _allocate(child, root, at, cluster_size, lasts, label)
    return at


def _directory_size(node: _Node, is_root: bool, label: bool) -> int:
    entries = (1 if label else 0) if is_root else 2
    shorts = _short_names(node)
    for name in node.children:
        entries += 1 + (0 if _fits_short(name, shorts[name]) else -(-len(name) // 13))
    return max(1, entries) * 32


def _directory(node: _Node, parent: _Node, label: str, root: _Node) -> bytes:
    out = bytearray()
    if node is root:
        if label:
            out += _entry(short_label(label), _VOLUME, 0, 0)
    else:
        out += _entry(b".          ", _DIRECTORY, node.first, 0)
        out += _entry(b"..         ", _DIRECTORY, 0 if parent is root else parent.first, 0)
    shorts = _short_names(node)
    for name, child in node.children.items():
        short = shorts[name]
        if not _fits_short(name, short):
            out += _long_entries(name, short)
        kind = _ARCHIVE if child.content is not None else _DIRECTORY
        out += _entry(short, kind, child.first, child.size)
    return bytes(out)


def _entry(short: bytes, attributes: int, cluster: int, size: int) -> bytes:
    return struct.pack(
        "<11sBBBHHHHHHHI",
        short,
        attributes,
        0,
        0,
        _TIME,
        _DATE,
        _DATE,
        cluster >> 16,
        _TIME,
        _DATE,
        cluster & 0xFFFF,
        size,
    )


def _long_entries(name: str, short: bytes) -> bytes:
    checksum = 0
    for byte in short:
        checksum = (((checksum & 1) << 7) + (checksum >> 1) + byte) & 0xFF
    units = name.encode("utf-16-le")
    count = -(-len(units) // 26)
    if len(units) < count * 26:
        units = (units + b"\0\0").ljust(count * 26, b"\xff")
    out = b""
    for index in range(count):
        part = units[index * 26 : index * 26 + 26]
        order = index + 1 | (0x40 if index + 1 == count else 0)
        packed = struct.pack(
            "<B10sBBB12sH4s", order, part[:10], _LONG, 0, checksum, part[10:22], 0, part[22:26]
        )
        out = packed + out
    return out


def _fits_short(name: str, short: bytes) -> bool:
    base, extension = short[:8].decode().rstrip(), short[8:].decode().rstrip()
    return name == (f"{base}.{extension}" if extension else base)


def _short_names(node: _Node) -> dict[str, bytes]:
    taken: set[bytes] = set()
    names: dict[str, bytes] = {}
    for name in node.children:
        names[name] = _short_name(name, taken)
        taken.add(names[name])
    return names


def _short_name(name: str, taken: set[bytes]) -> bytes:
    stem, _dot, extension = name.upper().lstrip(".").rpartition(".")
    if not stem:
        stem, extension = extension, ""
    base, suffix = _clean(stem), _clean(extension)[:3]
    plain = base[:8].ljust(8).encode() + suffix.ljust(3).encode()
    exact = (
        len(base) <= 8 and base == stem and len(extension) <= 3 and suffix == extension and name[:1] != "."
    )
    if exact and plain not in taken:
        return plain
    for number in range(1, 1_000_000):
        tail = f"~{number}"
        short = (base[: 8 - len(tail)] + tail).ljust(8).encode() + suffix.ljust(3).encode()
        if short not in taken:
            return short
    raise ValueError(f"too many names like {name}")


def _clean(text: str) -> str:
    return "".join(c if _SHORT_OK.match(c) else "" if c in " ." else "_" for c in text)
