"""A small Debian with real OpenZFS and sshd in a tree of its own, built once (8 minutes) and kept below /var/tmp.

The module is built for the tree's own kernel, which is never loaded on this machine: the tree is the root of a
guest. Nothing of it is started as a service here.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.lab.rig import kernel, parts
from tests.lab.rig.virtualbox import CACHE, _mirror

PROGRAMS = ("debootstrap", "unshare", "chroot", "mount", "busybox", "cpio", "modprobe", "qemu-system-x86_64")
MODULES = (
    "virtio_pci", "9pnet_virtio", "9p", "overlay", "virtio_console", "virtio_blk", "virtio_net", "zfs",
)  # fmt: skip
PACKAGES = (
    "linux-image-amd64", "linux-headers-amd64", "zfs-dkms", "zfsutils-linux", "udev", "openssh-server", "kmod",
    "python3", "iproute2", "procps",
)  # fmt: skip
_INSTALL = """
mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && mount -t sysfs sys "$0/sys" || exit 1
t=$0; shift 0
exec chroot "$t" /usr/bin/env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$@"
"""


@dataclass(frozen=True, slots=True)
class Tree:
    """The tree, and the kernel a guest starts it with."""

    root: Path
    kernel: kernel.Kernel


def prepare() -> Tree:
    """The tree, built on first use; a part that is missing skips the test or fails it where all is wanted."""
    parts.need_root()
    parts.need_programs(PROGRAMS)
    CACHE.mkdir(parents=True, exist_ok=True)
    root = CACHE / "zfs-bookworm"
    with (CACHE / "zfs.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (root / "built").exists():
            _build(root)
        version = next(
            path.parents[2].name for path in sorted(root.glob("lib/modules/*/updates/dkms/zfs.ko*"))
        )
        initramfs = CACHE / f"zfs-initramfs-{kernel.recipe_id(MODULES)}-{version}.gz"
        if not initramfs.exists():
            kernel.build_initramfs(root, version, initramfs, MODULES)
    return Tree(root, kernel.Kernel(root / "boot" / f"vmlinuz-{version}", initramfs))


def _build(root: Path) -> None:
    part = root.with_name(f"{root.name}-part")
    shutil.rmtree(part, ignore_errors=True)
    log = CACHE / "zfs-build.log"
    with log.open("wb") as out:

        def run(*argv: str) -> bool:
            return (
                subprocess.run(argv, check=False, stdout=out, stderr=out, stdin=subprocess.DEVNULL).returncode
                == 0
            )

        made = run(
            "debootstrap", "--variant=minbase", "--components=main,contrib", "bookworm", str(part), _mirror()
        )
        if made:
            policy = part / "usr/sbin/policy-rc.d"
            policy.write_text("#!/bin/sh\nexit 101\n")
            policy.chmod(0o755)
            made = run(
                "unshare", "-m", "--propagation", "private", "sh", "-c", _INSTALL, str(part), *PACKAGES
            )
        made = made and any(part.glob("lib/modules/*/updates/dkms/zfs.ko*"))
    if not made:
        parts.missing(f"a Debian with OpenZFS; {log} says why")
    begin = part / "lab-begin"
    begin.write_text(
        "#!/bin/sh\nmount -t 9p -o trans=virtio,version=9p2000.L,ro lab /mnt && exec /mnt/begin\n"
    )
    begin.chmod(0o755)
    (part / "built").touch()
    part.rename(root)
