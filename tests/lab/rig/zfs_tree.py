"""A small Linux with real OpenZFS and sshd in a tree of its own, made once (2 minutes) and kept below /var/tmp.

Ubuntu's kernel packages carry OpenZFS ready-made, so nothing is compiled; Debian's would be for ten minutes. The
archive's key comes from a package whose SHA-256 stands here. The kernel is never loaded on this machine: the
tree is the root of a guest, and nothing of it is started as a service here.
"""

from __future__ import annotations

import fcntl
import hashlib
import re
import shutil
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from tests.lab.rig import kernel, parts
from tests.lab.rig.virtualbox import CACHE

PROGRAMS = (
    "debootstrap", "unshare", "chroot", "mount", "busybox", "cpio", "modprobe", "dpkg", "zstd", "qemu-system-x86_64",
)  # fmt: skip
MODULES = (
    "virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "virtio_blk", "virtio_net", "zfs",
)  # fmt: skip
PACKAGES = (
    "zfsutils-linux", "udev", "openssh-server", "kmod", "python3", "iproute2", "procps", "cpio",
)  # fmt: skip
ARCHIVE = "http://archive.ubuntu.com/ubuntu"
SUITE = "noble"
KEYRING = "pool/main/u/ubuntu-keyring/ubuntu-keyring_2023.11.28.1_all.deb"
KEYRING_SHA256 = "36de43b15853ccae0028e9a767613770c704833f82586f28eb262f0311adb8a8"
_IN_IT = """
mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" || exit 1
exec chroot "$0" /usr/bin/env DEBIAN_FRONTEND=noninteractive "$@"
"""
_KERNEL = """
cd /tmp && apt-get -q download "$1" && dpkg -x "$1"_*.deb /tmp/k && mv /tmp/k/boot/vmlinuz-* /boot/ && rm -rf /tmp/*
depmod "${1#linux-image-}"
"""
BEGIN = "#!/bin/sh\nmount -t 9p -o trans=virtio,version=9p2000.L,ro lab /mnt && exec /mnt/begin\n"


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree, and the kernel a guest starts it with."""

    root: Path
    kernel: kernel.Kernel


def prepare() -> Tree:
    """The tree, made on first use; a part that is missing skips the test or fails it where all is wanted."""
    parts.need_root()
    parts.need_programs(PROGRAMS)
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / f"zfs-{SUITE}"
    with (CACHE / "zfs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "lab-begin").exists():
            _build(root)
        version = next(root.glob("boot/vmlinuz-*")).name.removeprefix("vmlinuz-")
        initramfs = CACHE / f"zfs-initramfs-{kernel.recipe_id(MODULES)}-{version}.gz"
        if not initramfs.exists():
            kernel.build_initramfs(root, version, initramfs, MODULES)
    return Tree(root, kernel.Kernel(root / "boot" / f"vmlinuz-{version}", initramfs))


def _build(root: Path) -> None:
    part = root.with_name(f"{root.name}-part")
    shutil.rmtree(part, ignore_errors=True)
    log = CACHE / "zfs-build.log"
    with log.open("wb") as out:

        def run(*argv: str) -> None:
            subprocess.run(argv, check=True, stdout=out, stderr=out, stdin=subprocess.DEVNULL)

        def within(*argv: str) -> None:
            run("unshare", "-m", "--propagation", "private", "sh", "-c", _IN_IT, str(part), *argv)

        try:
            keyring = _keyring(run)
            run(
                "debootstrap", "--variant=minbase", f"--keyring={keyring}", "--components=main,universe", SUITE, str(part),
                ARCHIVE, "/usr/share/debootstrap/scripts/gutsy",
            )  # fmt: skip
            policy = part / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            image = _kernel_of(part)
            within("apt-get", "-q", "install", "-y", "--no-install-recommends",
                   image.replace("linux-image", "linux-modules"), *PACKAGES)  # fmt: skip
            within("sh", "-ec", _KERNEL, "sh", image)
        except (OSError, subprocess.CalledProcessError) as error:
            parts.missing(f"a Linux with OpenZFS ({error}); {log} says why")
    begin = part / "lab-begin"
    begin.write_text(BEGIN)
    begin.chmod(0o755)
    part.rename(root)


def _keyring(run: object) -> Path:
    place = CACHE / "ubuntu-keyring"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    package = place / "keyring.deb"
    with urllib.request.urlopen(f"{ARCHIVE}/{KEYRING}", timeout=60) as answer:
        data = answer.read()
    if hashlib.sha256(data).hexdigest() != KEYRING_SHA256:
        raise OSError("the archive's keyring is not the one named here")
    package.write_bytes(data)
    assert callable(run)
    run("dpkg", "-x", str(package), str(place))
    return place / "usr/share/keyrings/ubuntu-archive-keyring.gpg"


def _kernel_of(tree: Path) -> str:
    shown = subprocess.run(
        ["chroot", str(tree), "apt-cache", "depends", "linux-image-virtual"], capture_output=True, text=True, check=False
    ).stdout  # fmt: skip
    found = re.search(r"linux-image-[0-9]\S*-generic", shown)
    if found is None:
        raise OSError("the archive names no kernel")
    return found[0]
