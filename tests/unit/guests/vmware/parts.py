"""A guest for VMware, and a vmrun that keeps its state in a directory and speaks as VMware's does."""

from __future__ import annotations

import stat
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from smartos_wizard.guests.model import (
    BootKind,
    BootMedium,
    DiskSpec,
    Guest,
    GuestSpec,
    NicSpec,
    Sandbox,
)
from smartos_wizard.guests.vmware.find import Machine

GIB = 1 << 30

VMRUN = r'''#!PYTHON -SE
"""vmrun as far as it is used here. Errors: on the ordinary output, exit code 255."""
import os, sys, time
from pathlib import Path

state = Path(os.path.dirname(os.path.abspath(__file__))).parent / "state"
on = state / "running"
faults = (state / "faults").read_text().split("\n") if (state / "faults").exists() else []

def fail(words):
    print("Error: " + words)
    sys.exit(255)

def lines():
    return [l for l in on.read_text().splitlines() if l] if on.exists() else []

words = sys.argv[1:]
with (state / "calls").open("a") as f:
    f.write("\t".join(words) + "\n")
if words[:1] != ["-T"] or words[1] != (state / "flavour").read_text():
    fail("The server specified does not support this operation")
verb, rest = words[2], words[3:]
if verb == "list":
    if "list" in faults:
        fail("Unable to connect to host.")
    print("Total running VMs: %d" % len(lines()))
    print("\n".join(lines()))
    sys.exit(0)
vmx = Path(rest[0])
if not vmx.is_file():
    fail("Cannot open VM: %s, The virtual machine cannot be found" % vmx)
lock = vmx.parent / "zones-0.vmdk.lck"
names = vmx.parent / "snapshots.txt"
snaps = names.read_text().splitlines() if names.exists() else []
running = str(vmx) in lines()
if verb == "start":
    if running:
        fail("The file is already in use")
    if rest[1:] != ["nogui"]:
        fail("Unknown error")
    if "canceled" in faults:
        (vmx.parent / "vmware.log").write_text((state / "log").read_text())
        fail("The operation was canceled")
    if "off-again" not in faults:
        on.write_text("\n".join(lines() + [str(vmx)]) + "\n")
        lock.mkdir()
        (vmx.parent / "smartos.vmx.lck").mkdir(exist_ok=True)
    if "rewrites" in faults:
        vmx.write_text(vmx.read_text().replace('isolation.tools.copy.disable = "TRUE"\n', ""))
    if "serial" in faults:
        where = [l.split('"')[1] for l in vmx.read_text().splitlines() if l.startswith("serial0.fileName")][0]
        if os.fork() == 0:
            import socket
            os.setsid()  # and its output stays open, as that of a guest's process may
            door = socket.socket(socket.AF_UNIX)
            door.bind(where)
            door.listen(1)
            door.settimeout(10)
            line, _ = door.accept()
            line.sendall(b"SmartOS (build: 20260903T001557Z)\r\n")
            end = time.time() + 10
            while str(vmx) in lines() and time.time() < end:
                time.sleep(0.02)
            os._exit(0)
elif verb == "stop":
    if not running:
        fail("The virtual machine is not powered on: " + str(vmx))
    if rest[1] == "soft":
        if "tools" not in faults:
            fail("The VMware Tools are not running in the virtual machine: " + str(vmx))
        if "deaf" in faults:
            sys.exit(0)
    on.write_text("\n".join(l for l in lines() if l != str(vmx)))
    if "lock-stays" not in faults:
        if os.fork() == 0:
            for fd in (0, 1, 2):
                os.close(fd)
            time.sleep(0.2)
            lock.rmdir()
            os._exit(0)
elif verb == "listSnapshots":
    print("Total snapshots: %d" % len(snaps))
    print("\n".join(snaps))
elif verb == "snapshot":
    if "no-room" in faults:
        fail("There is no space left on device")
    names.write_text("\n".join(snaps + [rest[1]]))
    text = vmx.read_text()
    for line in text.splitlines():
        if line.startswith("scsi0:") and ".fileName" in line:
            old = line.split('"')[1]
            new = old.replace(".vmdk", "-000001.vmdk")
            (vmx.parent / new).write_bytes(b"delta of " + old.encode())
            text = text.replace('"%s"' % old, '"%s"' % new)
    vmx.write_text(text)
elif verb in ("revertToSnapshot", "deleteSnapshot"):
    if rest[1] not in snaps:
        fail("The snapshot does not exist")
    if verb == "deleteSnapshot":
        names.write_text("\n".join(s for s in snaps if s != rest[1]))
else:
    fail("Unrecognized command: " + verb)
'''


def guest(place: Path, *, name: str = "lab", kind: BootKind = BootKind.ISO, disks: int = 1, nics: int = 1,
          sandbox: Sandbox = Sandbox.LAB, memory: int = 4096, cpus: int = 2, nested: bool = False,
          bridge: str = "") -> Guest:  # fmt: skip
    """A guest whose folder is there, with nothing in it."""
    folder = place / "guests" / "lab"
    folder.mkdir(parents=True, exist_ok=True)
    macs = [f"00:50:56:11:22:{n:02x}" for n in range(nics)]
    spec = guest_spec(name, kind, sandbox, memory, cpus, disks, macs, bridge, str(place / "smartos.iso"))
    spec = replace(spec, nested=nested)
    return Guest(spec, folder, place / "s")


def guest_spec(name: str, kind: BootKind, sandbox: Sandbox, memory: int, cpus: int, disks: int, macs: list[str],
               bridge: str = "", source: str = "/smartos.iso") -> GuestSpec:  # fmt: skip
    """A spec with disks of 20 GiB and more, the first card going out, the others between guests."""
    return GuestSpec(
        name=name, uuid="c4d3a0de-0f28-4b9a-8f6e-0123456789ab", hypervisor="vmware", memory=memory, cpus=cpus,
        boot=BootMedium(kind, source),
        disks=tuple(DiskSpec(f"zones-{n}", (20 + n) * GIB) for n in range(disks)),
        nics=tuple(NicSpec(mac, "uplink" if n == 0 else f"inner{n}", bridge if n == 0 else "")
                   for n, mac in enumerate(macs)),
        sandbox=sandbox,
    )  # fmt: skip


def renamed(found: Guest, **changes: object) -> Guest:
    """The same with another spec."""
    return replace(found, spec=replace(found.spec, **changes))  # type: ignore[arg-type]


@dataclass
class Host:
    """A machine with Workstation, as files below a directory."""

    root: Path
    machine: Machine

    def fault(self, *names: str) -> None:
        (self.root / "state/faults").write_text("\n".join(names))

    def calls(self) -> list[list[str]]:
        path = self.root / "state/calls"
        return [line.split("\t") for line in path.read_text().splitlines()] if path.exists() else []

    def verbs(self) -> list[str]:
        return [
            " ".join(call[2:3] + call[4:])
            for call in self.calls()
            if call[2] not in ("list", "listSnapshots")
        ]


def program(path: Path, text: str) -> None:
    """An executable file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def workstation(root: Path, version: str = "17.6.3", *, module: bool = True, player: bool = False) -> Host:
    """A Linux machine with Workstation or Player."""
    name = "Player" if player else "Workstation"
    program(root / "bin" / ("vmplayer" if player else "vmware"),
            f'#!/bin/sh\n[ "$1" = -v ] && echo "VMware {name} {version} build-24583834"\n')  # fmt: skip
    program(root / "bin/vmrun", VMRUN.replace("PYTHON", sys.executable))
    (root / "state").mkdir()
    (root / "state/flavour").write_text("player" if player else "ws")
    (root / "dev").mkdir()
    if module:
        (root / "dev/vmmon").touch()
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text("flags\t\t: fpu vmx ept sse\n")
    environment = {"PATH": f"{root}/bin:/usr/bin:/bin"}
    return Host(root, Machine("linux", "x86_64", root, environment, lambda _key, _value: ""))


def fusion(root: Path, processor: str = "x86_64", version: str = "13.6.2") -> Machine:
    """A Mac with Fusion."""
    import plistlib

    app = root / "Applications/VMware Fusion.app"
    program(app / "Contents/Library/vmrun", "#!/bin/sh\necho Total running VMs: 0\n")
    (app / "Contents/Info.plist").write_bytes(plistlib.dumps({"CFBundleShortVersionString": version}))
    return Machine("darwin", processor, root, {"PATH": f"{root}/bin"}, lambda _key, _value: "")
