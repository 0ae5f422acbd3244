"""The files of a make-believe release: the true names in the true places, contents that say they are not real."""

from __future__ import annotations

import hashlib
import json
import random
from functools import lru_cache

LOADER_CONF = """\
console="{console},{others}"
os_console="{console}"
ttya-mode="115200,8,n,1,-"
ttyb-mode="115200,8,n,1,-"
ttyc-mode="115200,8,n,1,-"
ttyd-mode="115200,8,n,1,-"
loader_logo="smartos"
loader_brand="smartos"
root_shadow='$5$2HOHRnK3$NvLlm.1KQBbB0WjoP7xcIwGnllhzp2HnT.mDO7DpxYA'
smartos="true"
"""
"""What smartos-live's tools/build_boot_image writes; the password is `root`."""

_DEFAULTS = """\
# Practice copy of the loader's defaults: only what this program reads.
loader_conf_files="/boot/loader.conf /boot/loader.conf.local"
autoboot_delay="10"
bootfile="unix"
boot_archive_load="YES"
boot_archive_type="rootfs"
boot_archive_name="/platform/i86pc/${ISADIR}/boot_archive"
boot_archive.hash_load="YES"
boot_archive.hash_type="hash"
boot_archive.hash_name="/platform/i86pc/${ISADIR}/boot_archive.hash"
"""
_MENU_LST = """\
default=0
timeout=10
min_mem64 1024
variable os_console vga
title SmartOS
   kernel$ /platform/i86pc/kernel/amd64/unix -B root_shadow='',smartos=true,console=${os_console}
   module$ /platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk
title SmartOS noinstall/recovery (login/pw: root/root)
   kernel$ /platform/i86pc/kernel/amd64/unix -B standalone=true,noimport=true,console=${os_console}
   module$ /platform/i86pc/amd64/boot_archive type=rootfs name=ramdisk
"""
_FORTH = (
    "beastie",
    "color",
    "delay",
    "frames",
    "loader",
    "logo-smartos",
    "menu",
    "menu-commands",
    "menusets",
)


def make_believe(name: str, size: int = 0) -> bytes:
    """Bytes that a person who looks at them recognises as practice content, repeated up to `size`."""
    line = f"SmartOS Wizard practice content, not the real {name}.\n".encode()
    return (line * (size // len(line) + 1))[:size] if size else line


@lru_cache(maxsize=2)
def boot_archive(size: int, seed: int) -> bytes:
    """`size` bytes that are always the same for a seed, about half of them hard to compress."""
    source = random.Random(seed)
    text = make_believe("boot_archive", 32 << 10)
    blocks = [source.randbytes(32 << 10) + text for _ in range(size // (64 << 10) + 1)]
    return b"".join(blocks)[:size]


def release_password(stamp: str) -> str:
    """The password of a build: 16 letters and digits on one line (smartos-live: tools/build_live, pwgen)."""
    return "Practice" + hashlib.sha256(f"practice {stamp}".encode()).hexdigest()[:8]


def platform_files(stamp: str, archive_size: int, seed: int) -> dict[str, bytes]:
    """What a platform directory holds (smartos-live: tools/build_live), paths below it."""
    archive = boot_archive(archive_size, seed)
    digest = hashlib.sha1(archive, usedforsecurity=False).hexdigest()
    return {
        "root.password": f"{release_password(stamp)}\n".encode(),
        "etc/version/platform": f"{stamp}\n".encode(),
        "i86pc/kernel/amd64/unix": make_believe("unix", 3 << 20),
        "i86pc/amd64/boot_archive": archive,
        "i86pc/amd64/boot_archive.hash": f"{digest}\n".encode(),
        "i86pc/amd64/boot_archive.manifest": make_believe("boot_archive.manifest"),
        "i86pc/amd64/boot_archive.gitstatus": json.dumps([{"repo": "practice", "branch": stamp}]).encode(),
    }


def boot_files(stamp: str, console: str = "text") -> dict[str, bytes]:
    """What is on the root of a loader key besides the platform (smartos-live: tools/build_boot_image)."""
    others = ",".join(name for name in ("text", "ttya", "ttyb", "ttyc", "ttyd") if name != console)
    files = {
        "boot/loader": make_believe("loader", 400 << 10),
        "boot/loader64.efi": make_believe("loader64.efi", 500 << 10),
        "boot/gptzfsboot": make_believe("gptzfsboot", 180 << 10),
        "boot/pmbr": make_believe("pmbr", 512),
        "boot/loader.rc": make_believe("loader.rc"),
        "boot/loader.help": make_believe("loader.help", 8 << 10),
        "boot/defaults/loader.conf": _DEFAULTS.encode(),
        "boot/loader.conf": LOADER_CONF.format(console=console, others=others).encode(),
        "boot/forth/menu.rc": make_believe("menu.rc"),
        "boot/forth/smartos-logo.png": make_believe("logo"),
        "etc/version/boot": f"{stamp}\n".encode(),
    }
    return files | {f"boot/forth/{name}.4th": make_believe(f"{name}.4th") for name in _FORTH}


def grub_files() -> dict[str, bytes]:
    """What is on a GRUB key besides the platform (smartos-live: tools/build_iso before 2019-04)."""
    return {
        "boot/grub/stage1": make_believe("stage1", 512),
        "boot/grub/stage2": make_believe("stage2", 120 << 10),
        "boot/grub/menu.lst": _MENU_LST.encode(),
    }


def key_files(stamp: str, archive_size: int, seed: int, *, legacy: bool = False) -> dict[str, bytes]:
    """Every file of a key's root, in the order it is laid down."""
    files = grub_files() if legacy else boot_files(stamp)
    platform = platform_files(stamp, archive_size, seed)
    return files | {f"platform/{path}": data for path, data in platform.items()}
