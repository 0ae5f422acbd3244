"""The driver of VMware: a guest is a .vmx file in its folder, and vmrun starts and stops it. Nothing is registered."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

from smartos_wizard.core.errors import Refused, WizardError, WriteFailed
from smartos_wizard.core.plan import Effect, Step
from smartos_wizard.guests import console_tee
from smartos_wizard.guests.alike import require_off, require_snapshot
from smartos_wizard.guests.hypervisor import Tell
from smartos_wizard.guests.iso import require_there
from smartos_wizard.guests.model import (
    Actual,
    BootKind,
    Detection,
    DiskSpec,
    Endpoint,
    Finding,
    Guest,
    GuestSpec,
    State,
)
from smartos_wizard.guests.store import make_sockets
from smartos_wizard.guests.vmware import bundle, find, judging, leases, said, words
from smartos_wizard.guests.vmware.control import Control, NotRunning, released, run
from smartos_wizard.guests.vmware.vmx import Vmx

_STARTING = 180.0
_LOCKS = 120.0
"""Seconds VMware may take to let go of a guest's files after it is off."""
_BANNER = re.compile(rb"^IP address: (\d{1,3}(?:\.\d{1,3}){3})\s*$", re.MULTILINE)
"""What set-up says of itself on the console (smartos-live, smartos_prompt_config.sh)."""


class VmwareDriver:
    """Guests in Workstation, Player or Fusion. Satisfies `Hypervisor`."""

    id = "vmware"
    title = "VMware"

    def __init__(self, machine: find.Machine | None = None) -> None:
        self._control = Control(machine)

    def detect(self) -> Detection:
        """Which product is here, and what keeps it from working."""
        found = self._control.look()
        if found is None:
            return Detection(self.id, self.title, found=False, how=find.HOW)
        return Detection(
            self.id, found.title, True, found.version, found.vmrun or found.program, found.usable, found.starts,
            found.problems, find.HOW, judging.abilities(found, self._control.machine),
        )  # fmt: skip

    def validate(self, spec: GuestSpec, detection: Detection) -> tuple[Finding, ...]:
        """What of a spec VMware cannot do, or does in its own way."""
        return judging.judge(spec, detection, self._control.machine)

    def disk_step(self, guest: Guest, disk: DiskSpec) -> Step:
        """A VMDK in one file, which grows as it is used; written by this program itself."""
        path = guest.disk(disk, "vmdk")
        slot = words.places(len(guest.spec.disks))[guest.spec.disks.index(disk)]
        quoted = judging.quoted(path)
        by_hand = (
            "qemu-img create -q -f vmdk -o subformat=monolithicSparse,adapter_type=lsilogic,hwversion=19 "
            f"{quoted} {disk.size}"
        )
        return Step(
            f"disk-{disk.name}", "vmdk", f"disk {disk.name}, {disk.size // (1 << 30)} GiB that are taken as they fill",
            Effect.CREATES, (str(path),), undo="removed", by_hand=by_hand,
            params={"path": str(path), "size": disk.size, "slot": slot, "in_place": True},
        )  # fmt: skip

    def create_steps(self, guest: Guest) -> tuple[Step, ...]:
        """A description around the guest's key, where it has one, and the .vmx file."""
        path = guest.folder / words.VMX
        text = Vmx.of(words.values_of(guest)).text
        made = Step(
            "machine", "write", f"{path}: the machine", Effect.CREATES,
            ("No clipboard, no shared folders, no USB, no sound: every switch is named.",), undo="removed",
            params={"path": str(path), "text": text},
        )  # fmt: skip
        if guest.spec.boot.kind is BootKind.ISO:
            return (made,)
        if bundle.is_bundle(guest.spec.boot.source):
            details = (
                "Made of the bundle's: memory, hardware, disks, cards and every switch are put right.",
            )
            made = replace(made, action="bundle-vmx", details=details, params={"path": str(path)})
        key = guest.folder / words.KEY_DISK
        around = Step(
            "key-disk", "vmdk", f"{key}: the guest's key as a disk of VMware", Effect.CREATES,
            ("A few lines that point to it: nothing is copied or converted.",), undo="removed",
            params={"path": str(key), "around": str(guest.key)},
        )  # fmt: skip
        return around, made

    def delete_steps(self, guest: Guest) -> tuple[Step, ...]:
        """Nothing: VMware keeps no list but that of its window, and files in the folder go with it."""
        del guest
        return ()

    def call(self, argv: tuple[str, ...]) -> str:
        """Run one command. Raises WriteFailed `vmware-command-failed` with what it said."""
        code, output = run(argv, 120)
        error = said.error_in(output, code)
        if error is not None:
            raise WriteFailed(
                "vmware-command-failed", f"{Path(argv[0]).name} failed: {error}", context=" ".join(argv)
            )
        return output

    def inspect(self, guest: Guest) -> Actual:
        """As its .vmx file says, and as vmrun says. Raises WizardError where vmrun cannot be asked."""
        path = guest.folder / words.VMX
        try:
            vmx = Vmx.decode(path.read_bytes())
        except OSError:
            return Actual(State.MISSING if guest.made else State.HALF_MADE)
        running = self._control.runs(guest)
        saved = bool(vmx.get("checkpoint.vmState"))
        state = State.RUNNING if running else State.SAVED if saved else State.STOPPED
        snapshots: tuple[str, ...] = ()
        if not running:
            with contextlib.suppress(WizardError):
                snapshots = self._control.snapshots(guest)
        disks = tuple(
            str(guest.folder / name) for slot, name in words.attached(vmx) if not slot.startswith("ide")
        )
        notes = ("It uses UEFI.",) if vmx.get("firmware").lower() == "efi" else ()
        return Actual(
            state, words.number(vmx, "memsize"), words.number(vmx, "numvcpus"), disks, words.macs(vmx),
            words.switches_of(vmx), None, snapshots,
            boot="key" if vmx.true("ide0:0.present") else "iso" if vmx.true("ide1:0.present") else "",
            notes=notes,
        )  # fmt: skip

    def start(self, guest: Guest, tell: Tell) -> None:
        """Start it without a window, with its console kept."""
        found = self._control.require_started()
        if self._control.runs(guest):
            tell(f"{guest.name} runs already.")
            return
        require_there(guest)
        make_sockets(guest)
        pipe = guest.sockets / words.PIPE
        pipe.unlink(missing_ok=True)  # of a guest that was killed
        console = guest.console
        if console.socket is not None and console.log is not None:
            tee = console_tee.start(pipe, console.socket, console.log, _STARTING)
            # Whoever is still here when it ends takes its exit code, so that no zombie is left.
            threading.Thread(target=tee.wait, daemon=True, name="console-ended").start()
        else:
            tee = None
        began = time.time()
        try:
            self._control.do(
                guest, "start", "nogui", what=f"{guest.name} was not started.", patience=_STARTING
            )
            if not self._control.runs(guest):
                raise said.failed(
                    "guest-not-started",
                    f"{guest.name} was started and is off again.",
                    "nothing",
                    guest,
                    began,
                )
        except BaseException:
            if tee is not None:
                tee.terminate()
            raise
        tell(f"{found.title} {found.version} runs it.")
        for each in self._differences(guest):
            tell(each)

    def stop(self, guest: Guest, tell: Tell, *, patience: float, force: bool = False) -> None:
        """Ask it, wait, switch it off, and wait until VMware has let go of its files."""
        found = self._control.look()
        if found is None or not found.vmrun:
            tell("VMware is not here any more, so nothing of it can be running.")
            return
        if not self._control.runs(guest):
            return
        if not force:
            tell(f"Asking it to shut down; waiting up to {patience:g} s.")
            try:
                self._control.do(guest, "stop", "soft", what="", patience=patience)
            except WizardError as error:
                tell(error.message)
        if self._control.runs(guest):
            if not force:
                tell("It did not switch itself off; switching it off.")
            with contextlib.suppress(NotRunning):
                self._control.do(
                    guest, "stop", "hard", what=f"{guest.name} was not switched off.", patience=60
                )
        if guest.console.socket is not None:
            guest.console.socket.unlink(
                missing_ok=True
            )  # ends a process that still waits for the guest's port
        if not released(guest, _LOCKS):
            tell("VMware still holds its files; it clears that away when the guest is started next.")

    def ssh(self, guest: Guest) -> Endpoint | None:
        """The address VMware's own network gave it, else the one set-up told on the console; None where it is off."""
        with contextlib.suppress(WizardError, OSError):
            if not self._control.runs(guest):
                return None
            address = self._leased(guest) or _told(guest)
            return Endpoint(address, 22) if address else None
        return None

    def snapshot(self, guest: Guest, act: str, name: str) -> tuple[str, ...]:
        """Of all disks together, and only while it is off: what the guest has on its way is not in them."""
        if self._control.product().flavour == "player":
            raise Refused(
                "no-snapshots", "VMware Player takes no snapshots.",
                hint="Workstation does, and is free as well.",
            )  # fmt: skip
        if act == "list":
            return self._control.snapshots(guest)
        require_off(guest, off=not self._control.runs(guest))
        if "/" in name:
            raise Refused(
                "snapshot-name", "A slash cannot be in the name of a snapshot.",
                hint="`smartos-wizard guest snapshot NAME list` shows them.",
            )  # fmt: skip
        require_snapshot(act, name, known=name in self._control.snapshots(guest))
        verb = {"take": "snapshot", "restore": "revertToSnapshot", "delete": "deleteSnapshot"}[act]
        self._control.do(guest, verb, name, what=f"The snapshot {name}: it did not work.", patience=600)
        return self._control.snapshots(guest)

    def _leased(self, guest: Guest) -> str | None:
        machine = self._control.machine
        vmx = Vmx.decode((guest.folder / words.VMX).read_bytes())
        for mac, vnet in words.networks(vmx):
            places = leases.files(vnet, machine.system, machine.root)
            address = leases.address_of(mac, places, time.time())
            if address is not None:
                return address
        return None

    def _differences(self, guest: Guest) -> list[str]:
        """What VMware changed in the file when it started the guest: it may drop or rewrite what it dislikes."""
        from smartos_wizard.guests import sandbox

        with contextlib.suppress(WizardError):
            return [
                f"{each.what}: asked {each.asked}, it is {each.actual}"
                for each in sandbox.drift(guest.spec, self.inspect(guest))
            ]
        return []


def _told(guest: Guest) -> str | None:
    log = guest.console.log
    if log is None or not log.exists():
        return None
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - (1 << 20)))
        found = _BANNER.findall(file.read().replace(b"\r", b""))
    return found[-1].decode("ascii") if found else None
