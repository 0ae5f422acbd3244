"""What a tree's scripts name, whether it is there, and whether it is right: for a directory and for a web server.

Reads only. Facts: smartos-docs, pxe-booting-smartos (path rule, modules); illumos dboot (a hash guards the module of
the same name, and only with `type=hash`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

from smartos_wizard.core.errors import NetworkFailed, UsageProblem
from smartos_wizard.core.text import tame
from smartos_wizard.netboot.check_report import Report
from smartos_wizard.netboot.ipxe_read import Load, Script, read_script
from smartos_wizard.netboot.model import ARCHIVE, FIRST_SCRIPT, GRUB, HASH, KERNEL, MENU, PXELINUX
from smartos_wizard.netboot.other_read import Read, read_grub, read_pxelinux
from smartos_wizard.releases.mirror import Mirror

FIRST = (FIRST_SCRIPT, MENU, "smartos.ipxe")
"""Scripts looked for where none is named; the last is the official server's."""
_MOST_SCRIPTS = 500
_DIRECTORY = "http://tree.invalid/"
"""Stands for the root of a directory, so that one rule resolves every address."""


@dataclass(slots=True)
class Place:
    """Where a tree is: addresses in scripts are resolved against a script's own and read through `mirror`."""

    mirror: Mirror
    scripts: tuple[str, ...]
    elsewhere: dict[str, Mirror] = field(default_factory=dict)

    def resolve(self, address: str, script: str) -> str:
        """The path from the tree's root, or a whole URL where it leads to another server; empty outside the tree."""
        base = _plain(self.mirror.base)
        whole = urljoin(urljoin(base, script), address)
        if whole.startswith(base):
            return whole[len(base) :]
        return whole if base != _DIRECTORY and urlsplit(whole).scheme in ("http", "https") else ""

    def reach(self, path: str) -> tuple[Mirror, str]:
        """Who has that path, and its name there."""
        parts = urlsplit(path)
        if parts.scheme not in ("http", "https"):
            return self.mirror, path
        root = f"{parts.scheme}://{parts.netloc}/"
        if root not in self.elsewhere:
            from smartos_wizard.releases.mirror import open_mirror

            self.elsewhere[root] = open_mirror(root)
        return self.elsewhere[root], path[len(root) :]


@dataclass(frozen=True, slots=True)
class Named:
    """A file that a script names: its path, and what it is for."""

    path: str
    where: str


@dataclass(slots=True)
class Wanted:
    """Every file that must be there; archives with the path of their hash (empty: none)."""

    files: dict[str, Named] = field(default_factory=dict)
    guarded: dict[str, str] = field(default_factory=dict)


def open_place(where: str, mirror_at: Any) -> Place:
    """The place at a URL (of a tree or of one of its scripts) or a directory; `mirror_at` opens it.

    Raises UsageProblem `no-tree`, NetworkFailed.
    """
    given = ""
    if urlsplit(where).scheme in ("http", "https") and where.endswith(".ipxe"):
        where, _, given = where.rpartition("/")
    if "://" not in where and (not where or not Path(where).expanduser().is_dir()):
        raise UsageProblem("no-tree", f"There is no directory {tame(where, 200)}.", context=tame(where, 200))
    mirror: Mirror = mirror_at(where)
    scripts = (given,) if given else tuple(name for name in FIRST if _is_there(mirror, name))
    if not scripts or (given and not _is_there(mirror, given)):
        raise UsageProblem(
            "no-tree",
            f"There is no script of a netboot tree at {tame(where, 200)}: none of {given or ', '.join(FIRST)} is there.",
            hint="`smartos-wizard netboot build DIR --release latest` makes one; for a server, give its script's URL.",
            context=tame(where, 200),
        )
    return Place(mirror, scripts)


def read_scripts(place: Place, report: Report) -> Wanted:
    """Read every script, and what they lead to; problems go into `report`. Raises NetworkFailed."""
    wanted = Wanted()
    todo, seen = list(place.scripts), set[str]()
    while todo and len(seen) < _MOST_SCRIPTS:
        path = todo.pop(0)
        if path in seen:
            continue
        seen.add(path)
        text = _text(place, path, report)
        if text is None:
            continue
        script = read_script(text)
        report.scripts.append(path)
        for line, problem in script.problems:
            report.wrong("script-broken", f"{path}, line {line}: {problem}.", f"{path}:{line}", path)
        for line, problem in script.weak:
            report.odd(
                "fails-without-words",
                f"{path}, line {line}: {problem}; iPXE then stops with words of its own.",
                f"{path}:{line}",
            )
        todo += _loads(place, path, script, wanted, report)
    _others(place, wanted, report)
    return wanted


def _loads(place: Place, path: str, script: Script, wanted: Wanted, report: Report) -> list[str]:
    """Note what the script loads; return the scripts it goes on to."""
    chained = []
    hashes = [(load, _said(load, "name")) for load in script.loads if _said(load, "type") == "hash"]
    for load in script.loads:
        where = f"{path}:{load.line}"
        for address in script.addresses(load):
            to = place.resolve(address, path)
            if not to:
                report.wrong("outside-the-tree", f"{tame(address, 200)} leads out of the tree.", where)
            elif load.kind == "chain":
                if to.endswith(".ipxe"):
                    chained.append(to)
                wanted.files.setdefault(to, Named(to, where))
            else:
                wanted.files.setdefault(to, Named(to, where))
                _rules(load, to, where, report)
                if _said(load, "type") in ("rootfs", "file") or to.endswith(f"/{ARCHIVE}"):
                    name = _said(load, "name")
                    own = [a for h, n in hashes if n == name for a in script.addresses(h)]
                    match = [r for a in own if (r := place.resolve(a, path)) == f"{to}.hash"]
                    wanted.guarded[to] = match[0] if match else wanted.guarded.get(to, "")
    return chained


def _rules(load: Load, to: str, where: str, report: Report) -> None:
    if load.kind == "kernel":
        if not to.endswith(f"/{KERNEL}"):
            report.wrong(
                "path-rule",
                f"The kernel {tame(to, 200)} does not end in /{KERNEL}: SmartOS would stop with an error of krtld.",
                where,
                to,
            )
        if "-B" not in load.words:
            report.odd(
                "no-properties", "The kernel is given no properties (-B): it would not be SmartOS.", where
            )
        return
    said = _said(load, "type")
    if to.rsplit("/", 1)[-1] == "boot_archive" and not to.endswith(f"/{ARCHIVE}"):
        report.wrong("path-rule", f"The archive {tame(to, 200)} does not end in /{ARCHIVE}.", where, to)
    if to.endswith(".hash") and said != "hash":
        report.odd(
            "hash-not-checked", f"{to} is loaded as type={said or 'nothing'}, so it guards nothing.", where
        )


def _others(place: Place, wanted: Wanted, report: Report) -> None:
    readers = ((f"{PXELINUX}/default", read_pxelinux), (GRUB, read_grub))
    for path, read in readers:
        if not _is_there(place.mirror, path):
            continue
        found: Read = read(place.mirror.text(path))
        report.scripts.append(path)
        for line, problem in found.problems:
            report.wrong("script-broken", f"{path}, line {line}: {problem}.", f"{path}:{line}", path)
        for line, name in found.loads:
            wanted.files.setdefault(name, Named(name, f"{path}:{line}"))


def judge_sizes(wanted: Wanted, sizes: dict[str, int], report: Report) -> None:
    """Whether what is there can be what it should be, by its size."""
    for path, size in sizes.items():
        where = wanted.files[path].where
        if size == 0:
            report.wrong("empty-file", f"{path} is empty.", where, path)
        elif path.endswith(f"/{HASH}") and not 40 <= size <= 42:
            report.wrong("no-hash", f"{path} has {size:,} bytes; a SHA-1 in hex has 40.", where, path)
        elif path.endswith(f"/{ARCHIVE}") and size >= 1 << 32:
            report.wrong(
                "archive-too-large",
                f"{path} has {size:,} bytes, and no kernel can be handed 4 GiB.",
                where,
                path,
            )


def judge_hash(path: str, says: str, is_: str, report: Report) -> None:
    """Whether an archive's SHA-1 is what its hash file says."""
    plain = says.strip().lower()
    if len(plain) != 40 or any(c not in "0123456789abcdef" for c in plain):
        report.wrong("no-hash", f"{path}.hash holds no SHA-1.", f"{path}.hash", f"{path}.hash")
    elif is_ and plain != is_:
        report.wrong(
            "hash-mismatch",
            f"{path} is not what its hash says ({is_}, not {plain}): SmartOS would panic at boot.",
            path,
            path,
        )


def unguarded(wanted: Wanted, report: Report) -> None:
    """Say which archives nothing guards."""
    for path, hash_ in wanted.guarded.items():
        if not hash_ and path.endswith(f"/{ARCHIVE}"):
            report.odd("no-archive-hash", f"Nothing checks {path} at boot: no hash of it is loaded.", path)


def _said(load: Load, key: str) -> str:
    return next((w.split("=", 1)[1] for w in load.words if w.startswith(f"{key}=")), "")


def _plain(base: str) -> str:
    """A base that `urljoin` understands, a directory's too."""
    return base if base.startswith(("http://", "https://")) else _DIRECTORY


def _is_there(mirror: Mirror, path: str) -> bool:
    try:
        mirror.head(path)
    except NetworkFailed as error:
        if error.reference == "not-on-mirror":
            return False
        raise
    return True


def _text(place: Place, path: str, report: Report) -> str | None:
    mirror, name = place.reach(path)
    try:
        return mirror.text(name)
    except NetworkFailed as error:
        if error.reference != "not-on-mirror":
            raise
        report.wrong("missing-file", f"{path} is not there.", path, path)
        return None
