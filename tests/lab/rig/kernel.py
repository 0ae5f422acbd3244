"""A Linux kernel of the distribution and a small initramfs that ends in the host's own file system, read-only.

The kernel package is downloaded and unpacked below `.lab/` of the checkout, never installed.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from tests.lab.rig import parts

MODULES = (
    "virtio_pci", "9pnet_virtio", "9p", "overlay", "xhci_pci", "usb_storage", "uas", "sd_mod", "virtio_console",
    "loop", "dm_mod", "vfat", "nls_cp437", "nls_iso8859_1", "nls_ascii", "nls_utf8",
)  # fmt: skip

INIT = """#!/bin/sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
while read module; do insmod "$module" || echo "init: no $module"; done < /modules
mkdir -p /lower /mem /root
mount -t 9p -o trans=virtio,version=9p2000.L,msize=524288,cache=loose,ro rootfs /lower
mount -t tmpfs -o size=80% mem /mem
mkdir /mem/upper /mem/work
mount -t overlay -o lowerdir=/lower,upperdir=/mem/upper,workdir=/mem/work over /root
for d in proc sys dev lower mem; do mkdir -p /root/$d; mount --move /$d /root/$d; done
exec switch_root /root /bin/sh -c "$(sed -n 's/.*lab_init=\\([^ ]*\\).*/\\1/p' /root/proc/cmdline)"
"""


@dataclass(frozen=True, slots=True)
class Kernel:
    """What QEMU is given."""

    vmlinuz: Path
    initramfs: Path


def prepare() -> Kernel:
    """The kernel and its initramfs, made on first use and kept in `.lab/`."""
    parts.need_programs(["apt-get", "dpkg", "depmod", "modprobe", "cpio", "busybox", "gzip"])
    base = parts.CACHE / "kernel"
    base.mkdir(parents=True, exist_ok=True)
    with (base / "lock").open("w") as lock:  # two runs at once make it once
        fcntl.flock(lock, fcntl.LOCK_EX)
        tree = _unpacked(base)
        version = next((tree / "lib/modules").iterdir()).name
        initramfs = base / f"initramfs-{recipe_id()}-{version}.gz"
        if not initramfs.exists():
            build_initramfs(tree, version, initramfs)
    return Kernel(tree / "boot" / f"vmlinuz-{version}", initramfs)


def recipe_id(modules: tuple[str, ...] = MODULES) -> str:
    """What an initramfs of these modules is called by."""
    return f"{zlib.crc32((INIT + ' '.join(modules)).encode()):08x}"


def _unpacked(base: Path) -> Path:
    trees = sorted(base.glob("linux-image-*/lib/modules"))
    if trees:
        return trees[-1].parent.parent
    shown = subprocess.run(
        ["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=False
    ).stdout
    found = re.search(r"linux-image-[0-9][^ \n<>]*-amd64", shown)
    if found is None:
        parts.missing("the package linux-image-amd64 (apt-get update finds it)")
        raise AssertionError("unreachable")
    with tempfile.TemporaryDirectory(dir=base) as scratch:
        got = subprocess.run(
            ["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", found[0]],
            cwd=scratch, capture_output=True, text=True, check=False,
        )  # fmt: skip
        packages = list(Path(scratch).glob("*.deb"))
        if not packages:
            parts.missing(f"the kernel package {found[0]}: {got.stderr.strip()}")
        tree = Path(scratch) / "tree"
        subprocess.run(["dpkg", "-x", str(packages[0]), str(tree)], check=True)
        subprocess.run(["depmod", "-b", str(tree), next((tree / "lib/modules").iterdir()).name], check=True)
        tree.chmod(0o755)
        return tree.rename(base / found[0])


def build_initramfs(tree: Path, version: str, out: Path, modules: tuple[str, ...] = MODULES) -> None:
    """An initramfs with these modules of the tree and what they need, that ends in the shared file system."""
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        root = Path(scratch)
        for name in ("bin", "proc", "sys", "dev", "m"):
            (root / name).mkdir()
        shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        (root / "init").write_text(INIT)
        (root / "init").chmod(0o755)
        names = []
        for path in _in_order(tree, version, modules):
            names.append(f"/m/{_module(path, root / 'm')}")
        (root / "modules").write_text("\n".join(names) + "\n")
        listing = subprocess.run(["find", "."], cwd=root, capture_output=True, check=True).stdout
        packed = subprocess.run(
            ["cpio", "-o", "-H", "newc", "--quiet"], cwd=root, input=listing, capture_output=True, check=True
        ).stdout
        part = out.with_suffix(f".{os.getpid()}")
        part.write_bytes(subprocess.run(["gzip", "-1"], input=packed, capture_output=True, check=True).stdout)
        part.rename(out)


def _module(path: Path, into: Path) -> str:
    """Copy a module, unpacked where it is packed; its name there."""
    if path.suffix != ".zst":
        shutil.copy(path, into / path.name)
        return path.name
    subprocess.run(["zstd", "-q", "-d", str(path), "-o", str(into / path.stem)], check=True)
    return path.stem


def _in_order(tree: Path, version: str, modules: tuple[str, ...]) -> list[Path]:
    """The files of the modules and of what they need, in the order of loading; built-in ones are left out."""
    found: dict[Path, None] = {}
    for name in modules:
        shown = subprocess.run(
            ["modprobe", "-d", str(tree), "-S", version, "--show-depends", name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        for line in shown.stdout.splitlines():
            if line.startswith("insmod "):
                found[Path(line.split()[1])] = None
    return list(found)
