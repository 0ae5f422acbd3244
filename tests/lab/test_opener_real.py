"""The opener with a real ordinary user, real sudo and real block devices."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.media.as_json import target_to_json
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.privileged import opener
from tests.lab.rig import disks, parts

pytestmark = pytest.mark.lab

CHECKOUT = Path(__file__).resolve().parents[2]
CHILD = CHECKOUT / "tests/lab/rig/opened_by_user.py"
PYTHON = "/usr/bin/python3"
NAME = "swlabuser"
DROP_IN = Path("/etc/sudoers.d/swlabuser")
SIZE = 64 << 20


@pytest.fixture(scope="module")
def user() -> Iterator[str]:
    """An ordinary user who may use sudo; gone afterwards, also after a run that crashed."""
    parts.need_root()
    parts.need_programs(["sudo", "useradd", "userdel", "setpriv", "losetup"])
    parts.need_files([PYTHON])
    probe = subprocess.run([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"], check=False)
    if probe.returncode:
        parts.missing("a system Python of 3.11 or newer, for the ordinary user")
    subprocess.run(["userdel", "-rf", NAME], check=False, capture_output=True)
    subprocess.run(["useradd", "-m", "-s", "/bin/sh", NAME], check=True, capture_output=True)
    try:
        if subprocess.run(
            ["setpriv", "--reuid", NAME, "--clear-groups", "test", "-r", str(CHILD)], check=False
        ).returncode:
            parts.missing(f"a checkout that an ordinary user can read ({CHECKOUT})")
        yield NAME
    finally:
        DROP_IN.unlink(missing_ok=True)
        subprocess.run(["userdel", "-rf", NAME], check=False, capture_output=True)


@pytest.fixture
def may_sudo(user: str) -> Iterator[str]:
    DROP_IN.write_text(f"{user} ALL=(root) NOPASSWD: {PYTHON} -I *\n")
    DROP_IN.chmod(0o440)
    yield user
    DROP_IN.unlink(missing_ok=True)


@pytest.fixture
def device(space: Path) -> Iterator[disks.Disk]:
    with disks.loop(disks.backing_file(space, SIZE)) as disk:
        yield disk


def target_of(path: str) -> Target:
    status, sys_block = Path(path).stat(), Path("/sys/class/block") / Path(path).name
    fingerprint = Fingerprint(
        path,
        int((sys_block / "size").read_text()) * 512,
        diskseq=int((sys_block / "diskseq").read_text()),
        rdev=(os.major(status.st_rdev), os.minor(status.st_rdev)),
    )
    return Target(Disk(path, fingerprint.size), fingerprint)


class Session:
    """The program as an ordinary user would run it, with a terminal it has not."""

    def __init__(self, user: str, target: Target, mode: str = "write") -> None:
        home = Path(f"~{user}").expanduser()
        words = [
            PYTHON,
            "-B",
            str(CHILD),
            str(CHECKOUT),
            str(home / "wizard"),
            json.dumps(target_to_json(target)),
            mode,
        ]
        ids = ["setpriv", "--reuid", user, "--regid", user, "--clear-groups"]
        self.process = subprocess.Popen(
            [*ids, *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True, cwd="/",
            env={"PATH": os.environ["PATH"], "HOME": str(home), "USER": user},
        )  # fmt: skip

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()

    def heard(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the program ended without a word"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def told(self, line: str) -> dict[str, Any]:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.heard()


def openers() -> list[int]:
    """The openers that live now."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (place / "cmdline").read_bytes().split(b"\0")
            if os.fsencode(opener.__file__) in words and words[0].endswith(b"python3"):
                found.append(int(place.name))
    return found


def gone(pids: list[int], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not set(pids) & set(openers()):
            return True
        time.sleep(0.05)
    return False


def test_an_ordinary_user_writes_64_mib_through_the_handed_descriptor(may_sudo, device):
    with Session(may_sudo, target_of(device.path)) as session:
        opened = session.heard()
        assert opened["opened"] == "HandedDevice"
        assert opened["size"] == SIZE
        assert opened["uid"] != 0
        assert session.told("write 64") == {"did": "write"}
        assert session.told("flush") == {"did": "flush"}
        assert session.told("reread") == {"did": "reread"}
        assert session.told("read 33554432")["head"] == bytes(range(8)).hex()
    with Path(device.path).open("rb") as disk:
        assert all(disk.read(1 << 20)[:256] == bytes(range(256)) for _ in range(64))


def test_while_it_is_open_nobody_else_gets_it_and_afterwards_everybody(may_sudo, device):
    with Session(may_sudo, target_of(device.path)) as session:
        session.heard()
        mine = openers()
        assert len(mine) == 1
        with pytest.raises(opener.No) as no:
            opener.open_disk(device.path, target_of(device.path).fingerprint.to_json())
        assert no.value.reference == "in-use"
    assert gone(mine), "the opener outlived the program"
    os.close(opener.open_disk(device.path, target_of(device.path).fingerprint.to_json()))


def test_a_killed_program_ends_its_opener(may_sudo, device):
    with Session(may_sudo, target_of(device.path)) as session:
        session.heard()
        mine = openers()
        session.process.send_signal(signal.SIGKILL)
        assert mine
        assert gone(mine)


def test_a_killed_opener_leaves_a_descriptor_that_still_works(may_sudo, device):
    with Session(may_sudo, target_of(device.path)) as session:
        session.heard()
        for pid in openers():
            os.kill(pid, signal.SIGKILL)
        assert session.told("write 2") == {"did": "write"}
        assert session.told("drop") == {"did": "drop"}
        assert session.told("flush")["failed"] == "flush"


def test_a_hangup_does_not_end_the_opener(may_sudo, device):
    with Session(may_sudo, target_of(device.path)) as session:
        session.heard()
        for pid in openers():
            assert os.getsid(pid) == pid, "it is in a session of its own"
            os.kill(pid, signal.SIGHUP)
        time.sleep(0.2)
        assert session.told("flush") == {"did": "flush"}


@pytest.mark.parametrize("change", ["size", "sector", "diskseq", "rdev", "serial"])
def test_another_disk_under_the_same_name_is_refused(may_sudo, device, change):
    target = target_of(device.path)
    wrong: dict[str, Any] = {
        "size": SIZE - 512, "sector": 4096, "serial": "ANOTHER1",
        "diskseq": (target.fingerprint.diskseq or 0) + 1, "rdev": (7, 250),
    }  # fmt: skip
    before = Path(device.path).read_bytes()[:4096]
    target = replace(target, fingerprint=replace(target.fingerprint, **{change: wrong[change]}))
    with Session(may_sudo, target) as session:
        answer = session.heard()
    assert (answer["reference"], answer["exit_code"]) == ("identity-changed", 4), answer
    assert Path(device.path).read_bytes()[:4096] == before
    assert gone(openers())


def test_a_replugged_disk_of_the_same_size_is_another_disk(may_sudo, space):
    backing = disks.backing_file(space, SIZE)
    with disks.loop(backing) as disk:
        target = target_of(disk.path)
        subprocess.run(["losetup", "-d", disk.path], check=True)
        time.sleep(0.2)
        disks.attach(backing, device=disk.path)
        with Session(may_sudo, target) as session:
            assert session.heard()["reference"] == "identity-changed"


def test_an_unplugged_disk_is_no_such_device(may_sudo, space):
    with disks.loop(disks.backing_file(space, SIZE)) as disk:
        target = target_of(disk.path)
    with Session(may_sudo, target) as session:
        answer = session.heard()
    assert answer["exit_code"] in (4, 10)
    assert answer["reference"] in ("identity-changed", "no-such-device")


def test_a_write_protected_disk_is_refused(may_sudo, space):
    with (
        disks.loop(disks.backing_file(space, SIZE), read_only=True) as disk,
        Session(may_sudo, target_of(disk.path)) as session,
    ):
        answer = session.heard()
    assert (answer["reference"], answer["exit_code"]) == ("read-only", 4)


@contextlib.contextmanager
def mounted(path: str, point: Path) -> Iterator[None]:
    """A file system on the disk, mounted at a directory made for it."""
    parts.need_programs(["mkfs.ext4"])
    subprocess.run(["mkfs.ext4", "-q", "-F", path], check=True, capture_output=True)
    point.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(["mount", path, str(point)], check=True, capture_output=True)
        yield
    finally:
        subprocess.run(["umount", str(point)], check=False, capture_output=True)
        point.rmdir()


def test_a_mounted_disk_is_refused_or_unmounted_as_it_was_told(may_sudo, device):
    point = Path("/mnt/swlab-key")
    with mounted(device.path, point):
        with Session(may_sudo, target_of(device.path)) as session:
            assert session.heard()["reference"] == "mounted"
        with Session(may_sudo, replace(target_of(device.path), unmount=(str(point),))) as session:
            assert session.heard()["opened"] == "HandedDevice"
            assert not point.is_mount()


def test_a_disk_that_the_system_lives_on_is_never_handed_over(may_sudo, device):
    point = Path("/srv/swlab-data")
    with mounted(device.path, point):
        for mode in ("write", "read"):
            target = replace(target_of(device.path), unmount=(str(point),))
            with Session(may_sudo, target, mode) as session:
                assert session.heard()["reference"] == "system-disk"
        assert point.is_mount()


def test_without_the_right_it_waits_for_a_person_and_takes_what_they_run(user, device):
    with Session(user, target_of(device.path)) as session:
        note = session.heard()
        assert note["note"] == "needs-opener"
        assert note["command"].startswith("sudo ")
        run = subprocess.run(note["command"].split()[1:], check=False, capture_output=True, timeout=20)
        assert run.returncode == 0, run.stderr
        assert session.heard()["opened"] == "HandedDevice"
        assert session.told("flush") == {"did": "flush"}


def test_a_disk_that_goes_away_after_opening_is_noticed(may_sudo, fault_rig):
    with disks.faulty(fault_rig, SIZE) as disk, Session(may_sudo, target_of(disk.path)) as session:
        session.heard()
        assert session.told("write 2") == {"did": "write"}
        disk.unplug()
        answer = session.told("write 2")
    assert answer.get("failed") == "write"


def test_nothing_of_the_lab_user_stays(user):
    assert shutil.which("sudo")
    assert not DROP_IN.exists()
