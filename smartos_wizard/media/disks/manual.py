"""The commands a person types to write a key where this program cannot: macOS, Windows, FreeBSD, illumos.

They are text only; nothing here is run. Each recipe verifies the file, finds the disk, writes, and compares.
"""

from __future__ import annotations

import shlex

SYSTEMS = {"darwin": "macOS", "win32": "Windows", "freebsd": "FreeBSD", "illumos": "illumos or SmartOS"}
"""The systems with a recipe, by the beginning of their `sys.platform`."""

_ALIASES = {"macos": "darwin", "windows": "win32", "cygwin": "win32", "msys": "win32", "sunos": "illumos"}


def manual_commands(system: str, image: str, checksum: str) -> str:
    """The recipe for `system` (a `sys.platform` or a name like "macOS") with the file and its digest filled in.

    The digest's length tells md5 from sha256; an empty one leaves a gap to fill. Unknown systems get all.
    """
    key = system.lower()
    key = _ALIASES.get(key, key)
    key = next((k for k in SYSTEMS if key.startswith((k, _alias_of(k)))), "")
    if not key:
        return "\n\n".join(manual_commands(name, image, checksum) for name in SYSTEMS)
    lines = _RECIPES[key](image, checksum)
    return "\n".join([f"# {SYSTEMS[key]}. Writing erases the whole disk: be certain of its name.", *lines])


def _alias_of(key: str) -> str:
    return next((alias for alias, name in _ALIASES.items() if name == key and alias == "sunos"), key)


def _is_md5(checksum: str) -> bool:
    return len(checksum) == 32


def _wanted(checksum: str) -> str:
    return f"must print {checksum}" if checksum else "must print the published checksum"


def _unpack(image: str) -> str:
    """A command that prints the decoded image."""
    if image.endswith(".bz2"):
        return f"bzcat {shlex.quote(image)}"
    return f"gzip -dc {shlex.quote(image)}" if image.endswith(".gz") else f"cat {shlex.quote(image)}"


def _macos(image: str, checksum: str) -> list[str]:
    digest = "md5" if _is_md5(checksum) else "shasum -a 256"
    return [
        f"{digest} {shlex.quote(image)}    # {_wanted(checksum)}",
        "diskutil list external physical    # find the key: /dev/diskN, by its size and name",
        "diskutil unmountDisk /dev/diskN",
        f"{_unpack(image)} | sudo dd of=/dev/rdiskN bs=1m    # rdiskN, with an r: much faster",
        "sync",
        f"{_unpack(image)} | sudo cmp - /dev/rdiskN    # only \"EOF on -\" may be printed: the key is the larger one",
        "diskutil eject /dev/diskN",
    ]  # fmt: skip


def _windows(image: str, checksum: str) -> list[str]:
    algorithm = "MD5" if _is_md5(checksum) else "SHA256"
    quoted = f'"{image}"'
    return [
        f"certutil -hashfile {quoted} {algorithm}",
        f"#   {_wanted(checksum)}",
        "# Windows has no program of its own that writes a raw image to a disk. What works:",
        '#   Rufus (rufus.ie): choose the file, "DD image" where it asks; it reads .gz itself.',
        "#   balenaEtcher: choose the file and the key; it reads .gz and compares afterwards.",
        "# In PowerShell, to tell which disk the key is (by size and name):",
        "Get-Disk | Where-Object BusType -eq USB | Format-Table Number, FriendlyName, SerialNumber, Size",
        "# When Windows then offers to format the key, say no: it does not know SmartOS.",
    ]


def _freebsd(image: str, checksum: str) -> list[str]:
    digest = "md5 -q" if _is_md5(checksum) else "sha256 -q"
    return [
        f"{digest} {shlex.quote(image)}    # {_wanted(checksum)}",
        "geom disk list    # find the key: daN, by its size, descr and ident",
        "mount -p | grep daN    # must print nothing; otherwise: umount it",
        f"{_unpack(image)} | dd of=/dev/daN bs=1m conv=sync    # as root",
        f"{_unpack(image)} | cmp - /dev/daN    # only \"EOF on -\" may be printed",
        "camcontrol eject daN",
    ]  # fmt: skip


def _illumos(image: str, checksum: str) -> list[str]:
    digest = "md5" if _is_md5(checksum) else "sha256"
    return [
        f"digest -a {digest} {shlex.quote(image)}    # {_wanted(checksum)}",
        "rmformat    # find the key: /dev/rdsk/cXtYdZp0; on SmartOS also: diskinfo",
        "zpool status    # the key must not be in a pool",
        f"{_unpack(image)} | dd of=/dev/rdsk/cXtYdZp0 bs=1024k    # as root; p0 is the whole disk",
        "sync",
        f"{_unpack(image)} | cmp - /dev/rdsk/cXtYdZp0    # only \"EOF on -\" may be printed",
        "eject rmdisk0",
    ]  # fmt: skip


_RECIPES = {"darwin": _macos, "win32": _windows, "freebsd": _freebsd, "illumos": _illumos}
