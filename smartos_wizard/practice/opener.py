"""Opens practice keys, and only those: files below the practice directory, whatever a target claims to be."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from smartos_wizard.core.errors import DeviceLost, PrivilegeFailed, Refused
from smartos_wizard.core.paths import private_directory
from smartos_wizard.media.disks.judge import fingerprint_of, verify_fingerprint
from smartos_wizard.media.model import Fingerprint, Target
from smartos_wizard.media.ports import BlockDevice, Disks
from smartos_wizard.practice.control import Control, locked
from smartos_wizard.practice.devices import BACK_AFTER, PracticeDevice, speed_factor
from smartos_wizard.practice.keys import PracticeDisk
from smartos_wizard.practice.medium import Medium, open_inside


class PracticeOpener:
    """`ports.Opener` for practice keys. `fill` puts onto a key what it holds from the beginning."""

    def __init__(
        self,
        root: Path,
        practice: Sequence[PracticeDisk],
        disks: Disks,
        control: Control,
        fill: Callable[[PracticeDisk, Path], None],
    ) -> None:
        self._root = root
        self._practice = {d.path: d for d in practice}
        self._disks = disks
        self._control = control
        self._fill = fill

    @property
    def files(self) -> Path:
        """Where the keys' files are."""
        return self._root / "keys"

    def open(
        self,
        target: Target,
        *,
        write: bool,
        notify: Callable[[str, dict[str, str]], None],  # noqa: ARG002 - nobody has to do anything
    ) -> BlockDevice:
        """The opened practice key, with its faults.

        Raises Refused `outside-practice` for anything that is not a practice key or a file below the
        practice directory, Refused `identity-changed`, DeviceLost `device-gone`.
        """
        if target.regular_file:
            return self._open_file(target, write=write)
        disk = self._practice.get(target.path)
        if disk is None or not disk.disk.size:
            raise Refused(
                "outside-practice",
                f"{target.path} is not a practice key. Practice touches nothing real.",
                hint="Choose one of the disks that `smartos-wizard --practice key list` shows.",
            )
        found = self._recognise(target.fingerprint)
        if write and disk.faults.write_protected:
            raise PrivilegeFailed(
                "write-protected", f"{disk.path} ({disk.disk.name}) is write-protected.",
                hint="Move the small switch on its side, or use another key.",
            )  # fmt: skip
        private_directory(self.files)
        path = self.files / f"{disk.name}.img"
        self._check_inside(path)
        if disk.holds:
            with locked(self.files / f"{disk.name}.lock"):
                self._fill(disk, path)
        medium = Medium(self._root, path, disk.disk.size, blank=disk.blank)
        if write and not self._control.state(disk.name).used:
            self._control.mark(disk.name, used=True)
        return PracticeDevice(disk, medium, found, self._control, write=write, factor=speed_factor())

    def eject(self, path: str) -> str:
        """Take the practice key out of its port; it comes back by itself. Returns that in words."""
        disk = self._practice.get(path)
        if disk is None:
            raise Refused("outside-practice", f"{path} is not a practice key.")
        if not self._control.plugged(disk.name):
            raise DeviceLost("device-gone", f"{path} ({disk.disk.name}) is not plugged in.")
        self._control.unplug(disk.name, BACK_AFTER)
        return (
            f"{disk.disk.name} is ejected and may be pulled. "
            f"(Practice: it plugs itself in again after {BACK_AFTER:.0f} s.)"
        )

    def _recognise(self, wanted: Fingerprint) -> Fingerprint:
        """The fingerprint of what is in that port now, which must be `wanted`."""
        found = next((d for d in self._disks.list() if d.path == wanted.path), None)
        if found is None:
            raise DeviceLost(
                "device-gone", f"{wanted.path} ({wanted.model or 'the key'}) is not plugged in any more.",
                hint="Plug it in again and choose it again.",
            )  # fmt: skip
        now = fingerprint_of(found)
        differences = verify_fingerprint(wanted, now)
        if differences:
            raise Refused(
                "identity-changed",
                f"{wanted.path} is not the disk that was confirmed any more: {'; '.join(differences)}.",
                hint="Nothing was written. Look at the list again and choose again.",
                confirmed=wanted.to_json(),
                found=now.to_json(),
            )
        return now

    def _open_file(self, target: Target, *, write: bool) -> BlockDevice:
        from smartos_wizard.media.device import FdDevice

        flags = os.O_RDWR | os.O_CREAT if write else os.O_RDONLY
        fd = open_inside(self._root, Path(target.path), flags)
        if write and target.fingerprint.size:
            os.ftruncate(fd, target.fingerprint.size)
        return FdDevice(fd, target.path)

    def _check_inside(self, path: Path) -> None:
        if not path.resolve().is_relative_to(self._root.resolve()):
            raise Refused("outside-practice", f"{path} lies outside the practice directory.")
