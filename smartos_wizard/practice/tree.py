"""The files of a make-believe SmartOS, named and shaped as on a real key, with contents that run nowhere.

Facts: smartos-live, tools/build_boot_image (`populate_root`) and tools/build_live.
"""

from __future__ import annotations

import hashlib

_LOADER_CONF = """\
console="text,ttya,ttyb,ttyc,ttyd"
os_console="text"
ttya-mode="115200,8,n,1,-"
ttyb-mode="115200,8,n,1,-"
ttyc-mode="115200,8,n,1,-"
ttyd-mode="115200,8,n,1,-"
loader_logo="smartos"
loader_brand="smartos"
root_shadow='$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA'
smartos="true"
"""
_DEFAULTS = """\
autoboot_delay="10"
bootfile="unix"
kernel="i86pc/kernel/${ISADIR}"
boot_archive_load="YES"
boot_archive_type="rootfs"
boot_archive_name="/platform/i86pc/${ISADIR}/boot_archive"
"""
_MENU_LST = """\
default 0
timeout 10
title Live 64-bit
   kernel /platform/i86pc/kernel/amd64/unix -B console=text
   module /platform/i86pc/amd64/boot_archive
"""


def make_believe(name: str, size: int) -> bytes:
    """`size` bytes that are always the same for `name`, and do not compress."""
    return hashlib.shake_128(name.encode()).digest(size)


def platform_files(stamp: str, boot_archive_size: int, seed: int) -> dict[str, bytes]:
    """What lies in `platform/`, by path. The archive is different for each stamp and seed."""
    archive = make_believe(f"boot_archive {stamp} {seed}", boot_archive_size)
    digest = hashlib.sha1(archive, usedforsecurity=False).hexdigest()
    return {
        "root.password": make_believe(f"password {stamp} {seed}", 6).hex().encode() + b"\n",
        "etc/version/platform": stamp.encode() + b"\n",
        "i86pc/kernel/amd64/unix": make_believe(f"unix {stamp} {seed}", 2 << 20),
        "i86pc/amd64/boot_archive": archive,
        "i86pc/amd64/boot_archive.hash": digest.encode() + b"\n",
        "i86pc/amd64/boot_archive.manifest": b"d usr\nf usr/bin/true\n",
        "i86pc/amd64/boot_archive.gitstatus": b"[]\n",
    }


def boot_files(stamp: str) -> dict[str, bytes]:
    """What lies in `boot/` and `etc/` of a key or ISO with the illumos loader, by path."""
    files = {
        "boot/loader": make_believe("loader", 400 << 10),
        "boot/loader64.efi": make_believe("loader64.efi", 500 << 10),
        "boot/gptzfsboot": make_believe("gptzfsboot", 180 << 10),
        "boot/pmbr": make_believe("pmbr", 512),
        "boot/loader.rc": b"include /boot/forth/loader.4th\nstart\n",
        "boot/loader.help": b"# Thelp DPractice\n",
        "boot/defaults/loader.conf": _DEFAULTS.encode(),
        "boot/loader.conf": _LOADER_CONF.encode(),
        "boot/forth/menu.rc": b"\\ practice\n",
        "etc/version/boot": stamp.encode() + b"\n",
    }
    words = ("beastie", "brand", "color", "loader", "menu", "menu-commands", "menusets", "support", "version")
    return files | {f"boot/forth/{word}.4th": b"\\ practice\n" for word in words}


def key_files(stamp: str, boot_archive_size: int, seed: int, *, legacy: bool) -> dict[str, bytes]:
    """Everything on the root of a key, by path; `legacy` is the time before the loader."""
    platform = {f"platform/{name}": d for name, d in platform_files(stamp, boot_archive_size, seed).items()}
    if not legacy:
        return boot_files(stamp) | platform
    grub = {f"boot/grub/{name}": make_believe(name, size) for name, size in (("stage1", 512), ("stage2", 130_000))}
    return {**grub, "boot/grub/menu.lst": _MENU_LST.encode(), **platform}
