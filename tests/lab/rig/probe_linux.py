"""A Linux in a file: its own root file system on a disk that a BIOS starts, with the real tools of GRUB inside.

Programs run in it in a mount namespace of their own, chrooted, over this machine's /usr (read-only). Nothing of this
machine is changed, and nothing stays mounted. It does not see that its disk is a loop device, from which no Linux of a
real machine that GRUB starts would run.
"""

from __future__ import annotations

import io
import shlex
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

from tests.lab.rig import parts, probe, probe_disk

HOSTNAME = "lab-linux"
STAMP = "20260101T000000Z"
_SHARED = ("usr", "bin", "sbin", "lib", "lib64")
_DEFAULT = "GRUB_TIMEOUT=0\nGRUB_TERMINAL=console\nGRUB_DISABLE_OS_PROBER=true\n"
_SCRIPTS = ("00_header", "40_custom", "41_custom")
_KERNEL = "/boot/lab-kernel"
_OTHER = f"""\
#!/bin/sh
exec cat << 'E'
menuentry 'Lab Linux' --id lab-linux {{
	insmod multiboot
	multiboot {_KERNEL} {_KERNEL} it-is-the-linux
}}
E
"""
_ENTER = """\
set -e
hostname {name}
mount -o loop,offset={offset} {disk} {root}
cd {root}
for d in {shared}; do mount --bind /$d $d; mount -o remount,bind,ro $d; done
mount -t proc proc proc; mount -t sysfs sys sys; mount -t tmpfs blind sys/block; mount --bind /dev dev; mount -t tmpfs run run
mount -t tmpfs tmp tmp
for d in {seen}; do mkdir -p .$d; mount --bind $d .$d; mount -o remount,bind,ro .$d; done
mkdir -p .{place}; mount --bind {place} .{place}
exec {inside}
"""


def need() -> None:
    """What this rig is made with."""
    parts.need_root()
    probe_disk.need()
    parts.need_programs(
        [
            "unshare",
            "chroot",
            "mount",
            "hostname",
            "grub-mkconfig",
            "update-grub",
            "grub-probe",
            "grub-mkrelpath",
        ]
    )
    parts.need_files(["/dev/loop-control", *(f"/etc/grub.d/{name}" for name in _SCRIPTS)])


class LabLinux:
    """The disk; `place` is a directory that both this machine and the one inside see under the same name."""

    def __init__(
        self, place: Path, fstype: str = "ext4", *, default: str = "", extra: Path | None = None
    ) -> None:
        self.place, self.disk, self.root = place, place / "linux.img", place / "root"
        tree = place / "tree"
        _lay_out(tree, default)
        probe_disk.filled(self.disk, fstype, tree)
        shutil.rmtree(tree)
        self.root.mkdir()
        if extra is not None:
            shutil.copy(extra, place)
        assert self.run(["update-grub"]).returncode == 0
        probe_disk.install_grub(self.disk)

    def start(self, words: Sequence[str], *, chroot: bool = True) -> subprocess.Popen[str]:
        """Start a program in it; without `chroot`, one of this machine that sees it mounted at `root`."""
        inside = ["chroot", ".", *words] if chroot else list(words)
        script = _ENTER.format(
            offset=probe_disk.START, disk=self.disk, root=self.root, shared=" ".join(_SHARED),
            seen=" ".join(dict.fromkeys(str(p) for p in _seen())), place=self.place, name=HOSTNAME, inside=shlex.join(inside),
        )  # fmt: skip
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "SMARTOS_WIZARD_HOME": str(self.place / "home"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # fmt: skip
        return subprocess.Popen(
            ["unshare", "--mount", "--uts", "sh", "-c", script], env=environment, text=True, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def run(self, words: Sequence[str], *, chroot: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a program in it to its end."""
        with self.start(words, chroot=chroot) as process:
            out, err = process.communicate(timeout=180)
        return subprocess.CompletedProcess(list(words), process.returncode, out, err)

    def wizard(self, *words: str) -> list[str]:
        """The words that start this program in it."""
        return [parts.PYTHON, "-P", "-m", "smartos_wizard", *words]

    def snapshot(self) -> str:
        """Every file of its own with mode, owner and SHA-256."""
        find = "find boot etc var -xdev \\( -type f -printf '%p %m %U\\n' -exec sha256sum {} + -o -printf '%p %y %m %l\\n' \\) | sort"
        done = self.run(["sh", "-c", find])
        assert done.returncode == 0, done.stderr
        return done.stdout


def _seen() -> list[Path]:
    """What the program under test is made of, beyond /usr."""
    homes = (parts.CHECKOUT, Path(sys.prefix), Path(sys.base_prefix))
    real = (home.resolve() for home in homes if not home.is_relative_to("/usr"))
    return [home for home in (*homes[:2], *real) if home != Path("/usr")]


def _lay_out(tree: Path, default: str) -> None:
    for name in (
        *_SHARED,
        "proc",
        "sys",
        "dev",
        "run",
        "tmp",
        "var/lib",
        "boot/grub",
        "etc/default",
        "etc/grub.d",
    ):
        (tree / name).mkdir(parents=True)
    probe_disk.grub_modules(tree / "boot/grub/i386-pc")
    for name in _SCRIPTS:
        shutil.copy(f"/etc/grub.d/{name}", tree / "etc/grub.d" / name)
    probe.build(tree / _KERNEL.strip("/"))
    own = tree / "etc/grub.d/10_lab"
    own.write_text(_OTHER)
    own.chmod(0o755)
    (tree / "etc/default/grub").write_text(_DEFAULT + (f"GRUB_DEFAULT={default}\n" if default else ""))
    (tree / "etc/hostname").write_text(f"{HOSTNAME}\n")
    (tree / "etc/os-release").write_text('PRETTY_NAME="Lab Linux"\n')
    (tree / "etc/passwd").write_text("root:x:0:0:root:/:/bin/sh\n")


def tarball(path: Path, tree: Path, stamp: str = STAMP) -> Path:
    """The platform in `tree` as a release's tarball: it unpacks to platform-<stamp>/."""
    with tarfile.open(path, "w:gz", compresslevel=1, format=tarfile.GNU_FORMAT) as tar:
        tar.add(tree / "platform", f"platform-{stamp}")
        version = tarfile.TarInfo(f"platform-{stamp}/etc/version/platform")
        data = f"{stamp}\n".encode()
        version.size = len(data)
        tar.addfile(version, io.BytesIO(data))
    return path


def platform(place: Path, size: int) -> Path:
    """A platform with the probe for a kernel."""
    return probe.platform_tree(place, size)
