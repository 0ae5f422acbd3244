"""The files of dual boot on the Linux they are put beside: the record, the script in /etc/grub.d, GRUB's menu.

Every change is one rename. The names of files on their way are known, so that what a kill leaves can be found.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path

from smartos_wizard.core.errors import Refused, WriteFailed
from smartos_wizard.core.files import sync_directory
from smartos_wizard.netboot.dualboot_model import HOMES, RECORD, SCRIPT, Installed
from smartos_wizard.netboot.dualboot_ports import Linux

BEFORE, NEXT = "grub.cfg.before", "grub.cfg.next"
"""In the home: the menu as it was, and the one GRUB's generator made, before it counts."""
_OWN = (RECORD, BEFORE, NEXT, f"{NEXT}.new")
_MARK = "# Made by smartos-wizard dualboot install; `smartos-wizard dualboot remove` takes it away."
_END = "SMARTOS_WIZARD_ENTRIES"
_ASIDE = ".smartos-wizard-new"


def put(path: Path, data: bytes, mode: int) -> None:
    """Put `data` at `path`: a reader sees the old file or the new one. Raises WriteFailed `cannot-write`."""
    aside = path.with_name(f".{path.name}{_ASIDE}")
    try:
        aside.unlink(missing_ok=True)
        fd = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "wb") as file:
            file.write(data)
            file.flush()
            with suppress(PermissionError):  # FAT has no such modes
                os.fchmod(file.fileno(), mode)
            os.fsync(file.fileno())
        aside.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> WriteFailed:
    """The error for a file that cannot be written."""
    return WriteFailed(
        "cannot-write", f"{path} cannot be written: {error.strerror or error}.", context=str(path),
        hint="Is the file system full, or mounted read-only? What was done is taken back.",
    )  # fmt: skip


def sweep_aside(path: Path) -> None:
    """Take away what a kill left beside `path`."""
    path.with_name(f".{path.name}{_ASIDE}").unlink(missing_ok=True)


def script_text(entries: str, home: str) -> str:
    """What stands in SCRIPT: a shell script that prints the entries, as all files there do (GRUB: grub.d/README)."""
    return f"#!/bin/sh\n{_MARK}\n# SmartOS' files lie in {home}\nexec cat << '{_END}'\n{entries}{_END}\n"


def is_ours(script: Path) -> bool:
    """Whether the script is one of this program's."""
    try:
        return _MARK in script.read_text("utf-8", "replace")
    except OSError:
        return False


def write_record(linux: Linux, found: Installed) -> None:
    """Keep what was put; before anything else is, and again at each stage that counts."""
    put(linux.at(f"{found.home}/{RECORD}"), (json.dumps(asdict(found), indent=1) + "\n").encode(), 0o600)


def read_record(linux: Linux, home: str) -> Installed | None:
    """What the record of that home says. None where there is none. Raises Refused `record-unreadable`."""
    path = linux.at(f"{home}/{RECORD}")
    try:
        data = json.loads(path.read_text("utf-8"))
        before = data["before"]
        return Installed(
            home=home, stamp=str(data["stamp"]), way=str(data["way"]), files=tuple(_below(f) for f in data["files"]),
            grub_cfg=str(data["grub_cfg"]), generator=str(data["generator"]), checker=str(data["checker"]),
            before=None if before is None else (str(before[0]), int(before[1])), after=str(data["after"]),
            done=bool(data["done"]), titles=tuple(str(t) for t in data["titles"]),
        )  # fmt: skip
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(
            "record-unreadable", f"{path} cannot be read, or is no record of this program: {error}. Nothing was changed.",
            hint=f"Root's rights are needed. Otherwise remove {SCRIPT} and {home} by hand, and run the generator.",
            context=str(path),
        ) from error  # fmt: skip


def _below(path: str) -> str:
    """A path of the record, which must stay inside the home."""
    if path.startswith("/") or ".." in path.split("/") or not path:
        raise ValueError(f"“{path}” is no file of it")
    return path


def homes_here(linux: Linux) -> tuple[str, ...]:
    """The homes that exist, a link in their place not counted."""
    return tuple(home for home in HOMES if linux.at(home).is_dir() and not linux.at(home).is_symlink())


def remove_files(linux: Linux, home: str, files: Iterable[str]) -> list[str]:
    """Take the home away with these files and our own; what else lies in it stays and is returned. The record goes last."""
    root = linux.at(home)
    for name in files:
        (root / name).unlink(missing_ok=True)
        sweep_aside(root / name)
    _sweep(root)
    _empty_folders(root)
    sweep_aside(root / RECORD)
    left = sorted(str(p.relative_to(root)) for p in root.rglob("*") if p != root / RECORD)
    if left:
        return left
    (root / RECORD).unlink(missing_ok=True)
    root.rmdir()
    sync_directory(root.parent)
    return []


def _sweep(root: Path) -> None:
    for name in _OWN:
        if name != RECORD:
            (root / name).unlink(missing_ok=True)
        if name == BEFORE:
            sweep_aside(root / name)


def _empty_folders(root: Path) -> None:
    for folder, _, _ in os.walk(root, topdown=False):
        if Path(folder) != root and not os.listdir(folder):  # noqa: PTH208 - a name is enough
            Path(folder).rmdir()


def drop_tree(path: Path) -> None:
    """Take away a directory that this run made."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)


def digest(data: bytes) -> str:
    """SHA-256 in hex."""
    return hashlib.sha256(data).hexdigest()


def without_ours(menu: bytes) -> bytes:
    """A menu without the section that the generator made of our script (GRUB: grub-mkconfig marks each)."""
    name = re.escape(SCRIPT.encode())
    return re.sub(
        rb"\n?### BEGIN " + name + rb" ###\n.*?### END " + name + rb" ###\n", b"", menu, flags=re.DOTALL
    )


def default_moves(menu: bytes) -> bool:
    """Whether what starts by itself is named by its number, and that number is one of our entries or behind them."""
    begin = menu.find(b"### BEGIN " + SCRIPT.encode())
    numbers = re.findall(rb'^ *set default="?(\d+)"?$', menu[: max(begin, 0)], re.MULTILINE)
    before = re.findall(rb"^(?:menuentry|submenu) ", menu[: max(begin, 0)], re.MULTILINE)
    return bool(numbers) and int(numbers[-1]) >= len(before)


def has_ours(menu: bytes) -> bool:
    """Whether the menu has that section."""
    return without_ours(menu) != menu


def read_menu(linux: Linux, path: str) -> tuple[bytes, int] | None:
    """GRUB's menu and its mode; None where there is none. Raises Refused `menu-is-a-link`, WriteFailed `cannot-read`."""
    place = linux.at(path)
    if place.is_symlink():
        raise Refused(
            "menu-is-a-link", f"{path} is a link, and this program changes files only in the place they are looked for.",
            hint="Make it a file, or use a USB key.", context=str(place),
        )  # fmt: skip
    try:
        return place.read_bytes(), place.stat().st_mode & 0o7777
    except FileNotFoundError:
        return None
    except OSError as error:
        raise WriteFailed(
            "cannot-read", f"{path} cannot be read: {error.strerror or error}.", context=str(place)
        ) from error
