"""dualboot install and remove on a whole Linux: real update-grub, real grub-probe, and a machine that starts from it.

The Linux is a disk in a file; its programs run chrooted in a namespace of their own.
"""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.rig import probe, probe_disk, probe_linux
from tests.lab.rig.probe_linux import HOSTNAME, STAMP, LabLinux

pytestmark = pytest.mark.lab

ARCHIVE = 2_500_001


@pytest.fixture(scope="module")
def released(space: Path) -> tuple[Path, str]:
    """A release's tarball and its digest."""
    probe_linux.need()
    place = space / "dualboot"
    place.mkdir()
    tree = probe_linux.platform(place / "platform", ARCHIVE)
    path = probe_linux.tarball(place / f"platform-{STAMP}.tgz", tree)
    return path, hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def linux(space: Path, released: tuple[Path, str]) -> LabLinux:
    """A Linux whose own entry starts the probe too."""
    return LabLinux(space / "dualboot")


@pytest.fixture(scope="module")
def pristine(linux: LabLinux) -> str:
    """What is on it before any test."""
    return linux.snapshot()


@pytest.fixture
def unharmed(linux: LabLinux, pristine: str) -> Iterator[str]:
    """The test leaves it as it was."""
    yield pristine
    assert linux.snapshot() == pristine


def install(linux: LabLinux, released: tuple[Path, str], *more: str) -> list[str]:
    path, digest = released
    return linux.wizard("dualboot", "install", "--image", str(path), "--sha256", digest, *more)


def done(linux: LabLinux, words: list[str], code: int = 0, *, chroot: bool = True) -> str:
    ran = linux.run(words, chroot=chroot)
    assert ran.returncode == code, (ran.stdout, ran.stderr)
    return ran.stdout + ran.stderr


def remove(linux: LabLinux) -> str:
    return done(linux, linux.wizard("dualboot", "remove", "--confirm", HOSTNAME))


def choose(linux: LabLinux, entry: str) -> None:
    """As its administrator chooses what starts by itself."""
    script = f"sed -i '/^GRUB_DEFAULT/d' /etc/default/grub; echo GRUB_DEFAULT={entry} >> /etc/default/grub; update-grub"
    done(linux, ["sh", "-c", script])


def started(linux: LabLinux, name: str) -> probe.Report:
    ran = probe_disk.booted(linux.disk, linux.place / name)
    assert ran.code == probe.ENDED, ran.said[-2000:]
    return ran.report


def test_a_whole_linux_starts_smartos_and_itself_and_afterwards_only_itself(linux, released, unharmed):
    assert started(linux, "before").line.endswith("it-is-the-linux")
    done(linux, install(linux, released, "--console", "ttya", "--confirm", HOSTNAME))
    assert started(linux, "by-itself").line.endswith("it-is-the-linux")
    choose(linux, f"smartos-wizard-{STAMP}")
    report = started(linux, "smartos")
    assert report.properties == {"smartos": "true", "console": "ttya", "zpools": "zones"}
    assert (report.module("ramdisk").size, report.hashes) == (ARCHIVE, {"ramdisk": "ok"})
    choose(linux, f"smartos-wizard-{STAMP}-rescue")
    assert started(linux, "rescue").properties["root_shadow"].startswith("$5$2HOHRnK3$")
    choose(linux, "0")
    assert "made anew" in remove(linux)  # since its administrator had the menu made anew
    after = linux.snapshot()
    (differing,) = set(after.splitlines()) - set(unharmed.splitlines())
    assert differing.endswith("etc/default/grub")  # the line that chose
    done(linux, ["sed", "-i", "/^GRUB_DEFAULT/d", "/etc/default/grub"])
    assert started(linux, "after").line.endswith("it-is-the-linux")


@pytest.mark.parametrize("fstype", ["xfs", "btrfs"])
def test_the_same_on_another_file_system(space, released, fstype):
    place = space / f"dualboot-{fstype}"
    place.mkdir()
    other = LabLinux(place, fstype, default=f"smartos-wizard-{STAMP}", extra=released[0])
    before = other.snapshot()
    done(other, install(other, (place / released[0].name, released[1]), "--confirm", HOSTNAME))
    report = started(other, "smartos")
    assert (report.properties["smartos"], report.hashes) == ("true", {"ramdisk": "ok"})
    assert "as it was" in remove(other)
    assert other.snapshot() == before
    other.disk.unlink()


def test_removal_right_after_leaves_no_trace(linux, released, unharmed):
    done(linux, install(linux, released, "--confirm", HOSTNAME))
    assert "as it was" in remove(linux)


def test_a_linux_that_is_only_mounted_here_gets_it_too(linux, released, unharmed):
    """From a rescue system: the tree is mounted, and GRUB's tools are run inside."""
    root = ["--root", str(linux.root)]
    done(linux, install(linux, released, *root, "--confirm", HOSTNAME), chroot=False)
    assert "smartos-wizard" in done(linux, ["ls", "/boot"])
    done(linux, linux.wizard("dualboot", "remove", *root, "--confirm", HOSTNAME), chroot=False)


def test_a_user_without_rights_may_plan_and_is_told_the_one_command(linux, released, unharmed):
    done(linux, ["sh", "-c", "echo UUID=$(grub-probe --target=fs_uuid /) / ext4 defaults 0 1 > /etc/fstab"])
    user = [
        "setpriv",
        "--reuid=65534",
        "--regid=65534",
        "--clear-groups",
        "env",
        "SMARTOS_WIZARD_HOME=/tmp/user",
    ]
    assert "To do it:" in done(linux, [*user, *linux.wizard("dualboot", "plan")])
    said = json.loads(done(linux, [*user, *install(linux, released, "--confirm", HOSTNAME, "--json")], 9))
    assert (said["reference"], "sudo" in said["hint"], released[1] in said["hint"]) == (
        "needs-root",
        True,
        True,
    )
    done(linux, ["rm", "/etc/fstab"])


BROKEN = (
    "printf '#!/bin/sh\\necho menuentry broken {\\n' > /etc/grub.d/45_broken; chmod 755 /etc/grub.d/45_broken"
)


def test_grubs_own_tools_say_no_and_everything_is_taken_back(linux, released, unharmed):
    done(linux, ["sh", "-c", BROKEN])
    before = linux.snapshot()
    said = done(linux, install(linux, released, "--confirm", HOSTNAME), 1)
    assert "generator-failed" in said
    assert linux.snapshot() == before
    done(linux, ["rm", "/etc/grub.d/45_broken"])


def test_a_disk_that_is_full_is_refused_before_anything_is_copied(linux, released, unharmed):
    done(linux, ["sh", "-c", "dd if=/dev/zero of=/boot/large bs=1M status=none || rm -f /boot/none"])
    assert "no-room" in done(linux, install(linux, released, "--confirm", HOSTNAME), 4)
    done(linux, ["rm", "/boot/large"])


@pytest.mark.parametrize("step", ["copy", "entry", "generate", "switch"])
def test_killed_in_an_installation_removal_leaves_no_trace(linux, released, unharmed, step):
    killed(linux, install(linux, released, "--json", "--confirm", HOSTNAME), step)
    remove(linux)


@pytest.mark.parametrize("step", ["menu", "files"])
def test_killed_in_a_removal_the_next_one_ends_it(linux, released, unharmed, step):
    done(linux, install(linux, released, "--confirm", HOSTNAME))
    killed(linux, linux.wizard("dualboot", "remove", "--json", "--confirm", HOSTNAME), step)
    ran = linux.run(linux.wizard("dualboot", "remove", "--confirm", HOSTNAME))
    assert ran.returncode == 0, ran.stderr


def test_stopped_by_ctrl_c_everything_is_taken_back(linux, released, unharmed):
    assert (
        killed(linux, install(linux, released, "--json", "--confirm", HOSTNAME), "copy", signal.SIGINT) == 3
    )


def killed(linux: LabLinux, words: list[str], step: str, by: signal.Signals = signal.SIGKILL) -> int:
    """Run it until that step begins, then send the signal; its exit code, once its file system is let go of."""
    with linux.start(words) as process:
        assert process.stdout is not None
        for line in process.stdout:
            event = json.loads(line)
            if event["event"] == "step-started" and event["step"].startswith(step):
                process.send_signal(by)
                break
        process.stdout.read()
        code = process.wait(60)
    until = time.monotonic() + 30
    while subprocess.run(["losetup", "-j", str(linux.disk)], capture_output=True, check=True).stdout:
        assert time.monotonic() < until, "something still holds the disk"
        time.sleep(0.05)
    return code
