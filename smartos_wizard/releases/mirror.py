"""A mirror as the rest of the room sees it: a place with a listing and files. Imports core only.

It may be a URL or a local directory of the same shape, for machines without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

from smartos_wizard.core.errors import UsageProblem


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """What a mirror tells of a file without sending it. `md5` is lower-case hex; empty means not told."""

    size: int | None = None
    etag: str = ""
    last_modified: str = ""
    md5: str = ""

    @property
    def validator(self) -> str:
        """What `If-Range` may carry: a strong ETag, or the date; empty where neither is told."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified


class Incoming(Protocol):
    """A file on its way. `start` is the offset of the first byte that comes, `remote.size` the whole size."""

    start: int
    remote: RemoteFile

    def read(self, limit: int) -> bytes:
        """Some bytes, at most `limit`, as soon as there are any; empty at the end. Raises NetworkFailed."""
        ...

    def close(self) -> None:
        """Stop, also from another thread while `read` waits."""
        ...


class Mirror(Protocol):
    """A place that holds releases. Every method raises NetworkFailed, `not-on-mirror` for what is absent."""

    base: str

    def page(self, marker: str, limit: int, under: str = "") -> list[dict[str, Any]]:
        """Entries of the directory `under`, by name, after `marker`; keys `name`, `type`, `mtime`, `size`."""
        ...

    def text(self, rel: str) -> str:
        """A small text file."""
        ...

    def head(self, rel: str) -> RemoteFile:
        """What can be known of a file without fetching it."""
        ...

    def open(self, rel: str, start: int = 0, if_range: str = "") -> Incoming:
        """The file from `start` on; from its beginning where the mirror will not or it has changed."""
        ...


def open_mirror(where: str) -> Mirror:
    """The mirror at a URL, a `file://` URL or a directory. Raises UsageProblem for what is neither."""
    parts = urlsplit(where)
    if parts.scheme in ("http", "https"):
        from smartos_wizard.releases.web import WebMirror

        if not parts.hostname:
            raise _no_mirror(where, "the address names no host")
        return WebMirror(where)
    if parts.scheme == "file":
        if parts.netloc not in ("", "localhost"):
            raise _no_mirror(where, "file addresses start with three slashes: file:///srv/smartos/")
        return _directory(Path(unquote(parts.path)), where)
    if "://" in where or not where.strip():
        raise _no_mirror(where, "only https, http, file and plain directories are understood")
    return _directory(Path(where).expanduser(), where)


def entries(mirror: Mirror, under: str = "", limit: int = 1000) -> list[dict[str, Any]]:
    """All entries of a directory, page after page. Raises NetworkFailed.

    A server that ignores `marker` would send its first page for ever, and one may count the marker itself
    as part of the next page: only names not seen before count.
    """
    found: dict[str, dict[str, Any]] = {}
    marker = ""
    while True:
        page = mirror.page(marker, limit, under)
        new = {str(e["name"]): e for e in page if str(e.get("name", "")) and str(e["name"]) not in found}
        found.update(new)
        if not new:
            return list(found.values())
        marker = str(page[-1]["name"])


def _directory(path: Path, where: str) -> Mirror:
    from smartos_wizard.releases.directory import DirectoryMirror

    if not path.is_dir():
        raise _no_mirror(where, "there is no such directory")
    return DirectoryMirror(path.resolve())


def _no_mirror(where: str, why: str) -> UsageProblem:
    return UsageProblem(
        "no-such-mirror",
        f"“{where}” is no mirror: {why}.",
        hint="Give --mirror a URL such as https://mirror.example/smartos/ or a directory with one "
        "directory per release.",
    )
