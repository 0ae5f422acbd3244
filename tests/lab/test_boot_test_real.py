"""The boot test with a real QEMU: keys of the true layout that start, and keys that do not."""

from __future__ import annotations

import hashlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from smartos_wizard.core.cancel import Cancel
from smartos_wizard.core.events import Event, Noted, PlanCancelled, PlanFinished, StepStarted
from smartos_wizard.core.paths import below
from smartos_wizard.core.runner import execute
from smartos_wizard.media import machine
from smartos_wizard.media.boottest import BOOT_TEST_ACTIONS, plan_boot_test
from smartos_wizard.media.model import Disk, Fingerprint, Target
from smartos_wizard.media.opening import SystemOpener
from smartos_wizard.practice.boot_stub import boot_code
from smartos_wizard.practice.image import build_usb_image
from tests.lab.rig import disks, parts

pytestmark = pytest.mark.lab

STAMP = "20260101T000000Z"
LINE = b"Boot SmartOS [Enter]\r\n"


class World:
    """What a boot test needs of the world."""

    practice = False

    def __init__(self, home: Path) -> None:
        self.paths = below(home)
        self.opener = SystemOpener(self.paths)


@pytest.fixture(scope="module")
def key(space: Path) -> Iterator[Path]:
    """A key that prints the loader's line by BIOS, and by UEFI through GRUB in the loader's place."""
    parts.need_programs([machine.PROGRAM, "grub-mkstandalone"])
    parts.need_files(["/usr/lib/grub/x86_64-efi"])
    if machine.uefi() is None:
        parts.missing("UEFI firmware for QEMU (ovmf)")
    script, program = space / "grub.cfg", space / "grub.efi"
    script.write_text(
        'serial --unit=0\nterminal_output console serial\necho "Boot SmartOS [Enter]"\nsleep 300\n'
    )
    subprocess.run(
        ["grub-mkstandalone", "-O", "x86_64-efi", "-o", str(program), "--install-modules=serial terminal echo sleep normal",
         "--locales=", "--themes=", "--fonts=", f"boot/grub/grub.cfg={script}"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    path = space / "boot-key.img"
    build_usb_image(
        path, STAMP, boot_archive_size=1 << 20, boot_code=boot_code(LINE), bootx64=program.read_bytes()
    )
    yield path
    path.unlink()


def run(key: Path, home: Path, *, patience: float = 120, cancel: Cancel | None = None) -> list[Event]:
    size = key.stat().st_size
    target = Target(Disk(str(key), size), Fingerprint(str(key), size), regular_file=True)
    plan = plan_boot_test([target], patience=patience)
    return list(execute(plan, BOOT_TEST_ACTIONS, World(home), cancel))


def row(events: list[Event]) -> dict[str, Any]:
    last = events[-1]
    assert isinstance(last, PlanFinished | PlanCancelled)
    found: dict[str, Any] = last.result["keys"][0]
    return found


def digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def test_a_key_that_starts_by_bios_and_uefi_passes_and_is_not_changed(key, home):
    before, stamp = digest(key), key.stat().st_mtime_ns
    events = run(key, home)
    found = row(events)
    assert isinstance(events[-1], PlanFinished)
    assert (events[-1].exit_code, found["error"]) == (0, None)
    assert found["bios"] == "seen: Boot SmartOS"
    assert found["uefi"] == "seen: Boot SmartOS"
    assert found["unchanged"] is True
    assert (digest(key), key.stat().st_mtime_ns) == (before, stamp)
    assert any("same bytes" in line for line in events[-1].result["say"])


def test_a_key_that_starts_nothing_fails_and_says_what_was_on_the_screen(space, home):
    parts.need_programs([machine.PROGRAM])
    path = space / "dead-key.img"
    path.write_bytes(bytes(16 << 20))
    events = run(path, home, patience=60)
    last = events[-1]
    assert isinstance(last, PlanFinished)
    assert last.error is not None
    assert (last.exit_code, last.error.reference) == (8, "no-loader-seen")
    assert "bootable" in last.error.details["last_words"]
    assert row(events)["uefi"].startswith("not tested")
    path.unlink()


def test_without_uefi_firmware_uefi_is_untested_and_never_a_success(key, home, monkeypatch):
    monkeypatch.setattr(machine, "_PAIRS", ())
    events = run(key, home)
    found = row(events)
    assert found["bios"].startswith("seen")
    assert found["uefi"].startswith("not tested")
    assert any(isinstance(e, Noted) and e.reference == "not-tested" and e.level == "warning" for e in events)


def test_a_boot_test_stops_within_two_seconds_and_leaves_no_qemu(space, home):
    parts.need_programs([machine.PROGRAM])
    path = space / "silent-key.img"
    path.write_bytes(b"\xfa\xf4\xeb\xfd".ljust(510, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    cancel, asked = Cancel(), []
    target = Target(
        Disk(str(path), path.stat().st_size), Fingerprint(str(path), path.stat().st_size), regular_file=True
    )

    def stop() -> None:
        asked.append(time.monotonic())
        cancel.request()

    last: Event | None = None
    for last in execute(plan_boot_test([target], patience=60), BOOT_TEST_ACTIONS, World(home), cancel):
        if isinstance(last, StepStarted) and last.step == "bios":
            threading.Timer(1.5, stop).start()
    assert isinstance(last, PlanCancelled)
    assert time.monotonic() - asked[0] < 2.0
    children = " ".join(p.read_text() for p in Path("/proc/self/task").glob("*/children")).split()
    assert not [c for c in children if "qemu" in Path(f"/proc/{c}/comm").read_text()]
    path.unlink()


def test_a_block_device_starts_from_its_descriptor_too(space, home):
    parts.need_programs([machine.PROGRAM, "losetup"])
    path = space / "block-key.img"
    path.write_bytes(boot_code(LINE).ljust(510, b"\0") + b"\x55\xaa" + bytes((16 << 20) - 512))
    with disks.loop(path) as disk:
        status, size = Path(disk.path).stat(), 16 << 20
        fingerprint = Fingerprint(disk.path, size, rdev=(os.major(status.st_rdev), os.minor(status.st_rdev)))
        plan = plan_boot_test([Target(Disk(disk.path, size), fingerprint)], patience=60)
        found = row(list(execute(plan, BOOT_TEST_ACTIONS, World(home))))
    assert found["bios"] == "seen: Boot SmartOS"
    assert found["unchanged"] is True
