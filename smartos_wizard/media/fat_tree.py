"""Directories of a FAT volume: names short and long, and which clusters everything gets.

Pure: turns a mapping of paths into directory bytes and cluster numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from smartos_wizard.media.fat_names import (
    ARCHIVE,
    DIRECTORY,
    VOLUME,
    dir_entry,
    fits_short,
    long_entries,
    short_name,
)


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
        entries += 1 + (0 if fits_short(name, shorts[name]) else -(-len(name) // 13))
    return max(1, entries) * 32


def _directory(node: _Node, parent: _Node, label: str, root: _Node) -> bytes:
    out = bytearray()
    if node is root:
        if label:
            out += dir_entry(short_label(label), VOLUME, 0, 0)
    else:
        out += dir_entry(b".          ", DIRECTORY, node.first, 0)
        out += dir_entry(b"..         ", DIRECTORY, 0 if parent is root else parent.first, 0)
    shorts = _short_names(node)
    for name, child in node.children.items():
        short = shorts[name]
        if not fits_short(name, short):
            out += long_entries(name, short)
        kind = ARCHIVE if child.content is not None else DIRECTORY
        out += dir_entry(short, kind, child.first, child.size)
    return bytes(out)


def _short_names(node: _Node) -> dict[str, bytes]:
    taken: set[bytes] = set()
    names: dict[str, bytes] = {}
    for name in node.children:
        names[name] = short_name(name, taken)
        taken.add(names[name])
    return names
