"""The commands that make a guest, in spellings that VirtualBox 6.1 to 7.2 take alike; what is new is given to new ones only.

Names of options and their values: VBoxManage's option tables of 6.1, 7.1 and 7.2, and the user manual.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from smartos_wizard.guests.model import BootKind, DiskSpec, Guest, NicSpec, Sandbox
from smartos_wizard.guests.virtualbox.said import Said
from smartos_wizard.guests.virtualbox.talk import Ask, ask, insist

GROUP = "/SmartOS-Wizard"
OS_TYPE = "Solaris11_64"
MARK = "smartos-wizard/owner"
"""Extra data of a guest that this program made; nothing else is ever changed. Its value is the guest's UUID."""
HOST_TIME = "VBoxInternal/Devices/VMMDev/0/Config/GetHostTimeDisabled"
"""Extra data that keeps the host's time from the guest (VirtualBox manual, tuning time synchronization)."""
BOOT, DATA = "IDE", "SATA"
RULE = "ssh"
_PORTS = {"ttya": ("1", "0x3F8", "4"), "ttyb": ("2", "0x2F8", "3"), "ttyc": ("3", "0x3E8", "4"), "ttyd": ("4", "0x2E8", "3")}  # fmt: skip
KEY_PORT = 0
"""SATA port of the guest's key; data disks follow. The BIOS starts from the lowest."""


@dataclass(frozen=True, slots=True)
class Manage:
    """VBoxManage of a certain version: `line` is (7, 2); `system` as in sys.platform. `asking` runs its commands."""

    program: str
    line: tuple[int, int]
    system: str = "linux"
    asking: Ask = ask

    def __call__(self, *words: str) -> list[str]:
        """One whole command."""
        return [self.program, "-q", *words]

    def ask(self, *words: str) -> Said:
        """Run one command and tell what was said."""
        return self.asking(tuple(self(*words)))

    def insist(self, *words: str) -> Said:
        """The same. Raises WizardError in plain words where it failed."""
        return insist(tuple(self(*words)), self.asking)

    @property
    def modern(self) -> bool:
        """Whether it is 7.0 or later, with what is new there."""
        return self.line >= (7, 0)


def create(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Make the guest known, in its own folder, with its own UUID, and mark it as ours."""
    spec = guest.spec
    return [
        vbox("createvm", "--name", spec.name, "--groups", GROUP, "--ostype", OS_TYPE,
             "--basefolder", str(guest.folder), "--uuid", spec.uuid, "--register"),
        vbox("setextradata", spec.uuid, MARK, spec.uuid),
        vbox("setextradata", spec.uuid, HOST_TIME, "1"),
    ]  # fmt: skip


def forget(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Make VirtualBox forget guest, key and disks.

    Never with --delete: that deletes every disk attached to the guest wherever it lies. Without it no file is touched.
    """
    closed = [str(guest.folder / "key.vmdk")] if guest.spec.boot.kind is BootKind.KEY else []
    closed += [str(disk_path(guest, disk)) for disk in guest.spec.disks]
    # Forgotten, not deleted; refused by VirtualBox where another guest has it in its drive.
    iso = [vbox("closemedium", "dvd", guest.spec.boot.source)] if guest.spec.boot.kind is BootKind.ISO else []
    return [
        vbox("unregistervm", guest.spec.uuid),
        *(vbox("closemedium", "disk", path) for path in closed),
        *iso,
    ]


def hardware(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Memory, processors, and a plain PC that SmartOS knows."""
    spec = guest.spec
    first = "dvd" if spec.boot.kind is BootKind.ISO else "disk"
    return [
        vbox("modifyvm", spec.uuid, "--description", "Made by SmartOS Wizard.",
             "--memory", str(spec.memory), "--cpus", str(spec.cpus), "--pae", "on", "--ioapic", "on", "--acpi", "on",
             "--rtcuseutc", "on", "--firmware", "bios", "--chipset", "piix3", "--hpet", "on",
             "--paravirtprovider", "default", "--nested-hw-virt", "on" if spec.nested else "off"),
        vbox("modifyvm", spec.uuid, "--graphicscontroller", "vboxvga", "--vram", "16", "--mouse", "ps2",
             "--keyboard", "ps2", "--biosbootmenu", "disabled",
             "--boot1", first, "--boot2", "none", "--boot3", "none", "--boot4", "none"),
    ]  # fmt: skip


def sandbox(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Every way between guest and host that VirtualBox has, off."""
    sound = ("--audio-enabled", "off") if vbox.modern else ("--audio", "none")
    return [
        vbox("modifyvm", guest.spec.uuid, "--clipboard-mode", "disabled", "--draganddrop", "disabled", "--vrde", "off",
             "--accelerate3d", "off", "--usbohci", "off", "--usbehci", "off", "--usbxhci", "off", *sound),
    ]  # fmt: skip


def network(vbox: Manage, guest: Guest, port: int) -> list[list[str]]:
    """All cards; ssh is forwarded from `port` on 127.0.0.1 where the first goes out through NAT."""
    commands = []
    for number, nic in enumerate(guest.spec.nics, 1):
        words = _card(vbox, guest, nic, str(number))
        if number == 1 and words[1] == "nat":
            words += ["--natpf1", rule(port)]
        commands.append(vbox("modifyvm", guest.spec.uuid, *words))
    return commands


def rule(port: int) -> str:
    """The forward of ssh, from 127.0.0.1 only."""
    return f"{RULE},tcp,127.0.0.1,{port},,22"


def move_rule(vbox: Manage, guest: Guest, port: int) -> list[list[str]]:
    """Forward ssh from another port."""
    return [
        vbox("modifyvm", guest.spec.uuid, "--natpf1", "delete", RULE),
        vbox("modifyvm", guest.spec.uuid, "--natpf1", rule(port)),
    ]


def shut_loopback(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Keep the guest off this machine's loopback services, where it goes out through NAT and VirtualBox can.

    VirtualBox 7.2 loses `off` whenever its server ends and reads its settings again (seen with 7.2.22), so this is
    said anew right before every start.
    """
    nat = guest.spec.sandbox is Sandbox.LAB and vbox.modern
    cards = [str(n) for n, nic in enumerate(guest.spec.nics, 1) if nat and nic.network == "uplink"]
    return [vbox("modifyvm", guest.spec.uuid, f"--nat-localhostreachable{n}", "off") for n in cards]


def console(vbox: Manage, guest: Guest) -> list[list[str]]:
    """The serial port that is the console, as a socket that VirtualBox opens."""
    number, base, irq = _PORTS.get(guest.spec.console, _PORTS["ttya"])
    return [
        vbox("modifyvm", guest.spec.uuid, f"--uart{number}", base, irq, f"--uarttype{number}", "16550A",
             f"--uartmode{number}", "server", str(pipe(guest))),
    ]  # fmt: skip


def pipe(guest: Guest) -> Path:
    """Where VirtualBox opens the serial port; the console's own socket is that of the process beside it."""
    return guest.sockets / "com"


def storage(vbox: Manage, guest: Guest) -> list[list[str]]:
    """Controllers, what it starts from, and the data disks."""
    spec = guest.spec
    ports = str(len(spec.disks) + 1)
    commands = [
        vbox("storagectl", spec.uuid, "--name", DATA, "--add", "sata", "--controller", "IntelAhci",
             "--portcount", ports, "--hostiocache", "on", "--bootable", "on"),
    ]  # fmt: skip
    if spec.boot.kind is BootKind.ISO:
        commands += [
            vbox("storagectl", spec.uuid, "--name", BOOT, "--add", "ide", "--controller", "PIIX4", "--bootable", "on"),
            vbox("storageattach", spec.uuid, "--storagectl", BOOT, "--port", "1", "--device", "0", "--type", "dvddrive",
                 "--medium", spec.boot.source),
        ]  # fmt: skip
    else:
        commands.append(
            vbox("storageattach", spec.uuid, "--storagectl", DATA, "--port", str(KEY_PORT), "--device", "0", "--type", "hdd",
                 "--medium", str(guest.folder / "key.vmdk"), "--mtype", "immutable")
        )  # fmt: skip
    return commands + [attach(vbox, guest, disk) for disk in spec.disks]


def make_disk(vbox: Manage, guest: Guest, disk: DiskSpec) -> list[str]:
    """An empty disk that grows as it is used."""
    return vbox("createmedium", "disk", "--filename", str(disk_path(guest, disk)), "--sizebyte", str(disk.size),
                "--format", "VDI", "--variant", "Standard")  # fmt: skip


def close_disk(vbox: Manage, guest: Guest, disk: DiskSpec, *, delete: bool = False) -> list[str]:
    """Make VirtualBox forget a disk, and delete its file where asked."""
    return vbox("closemedium", "disk", str(disk_path(guest, disk)), *(["--delete"] if delete else []))


def attach(vbox: Manage, guest: Guest, disk: DiskSpec, medium: str = "") -> list[str]:
    """Put a data disk at its port; `medium` "none" takes it away."""
    port = str(guest.spec.disks.index(disk) + KEY_PORT + 1)
    tail = [] if medium == "none" else ["--nonrotational", "off"]
    return vbox("storageattach", guest.spec.uuid, "--storagectl", DATA, "--port", port, "--device", "0", "--type", "hdd",
                "--medium", medium or str(disk_path(guest, disk)), *tail)  # fmt: skip


def disk_path(guest: Guest, disk: DiskSpec) -> Path:
    """The file of a data disk."""
    return guest.disk(disk, "vdi")


def descriptor(size: int) -> str:
    """The text that makes of the guest's key, as it is, a disk: a VMDK whose data is that file.

    `size` in bytes, whole sectors. Nothing is converted or copied (VMware, Virtual Disk Format 5.0: monolithicFlat).
    """
    sectors = size // 512
    return (
        '# Disk DescriptorFile\nversion=1\nCID=fffffffe\nparentCID=ffffffff\ncreateType="monolithicFlat"\n\n'
        # QEMU counts the extent twice where an empty line stands right before it.
        f'# Extent description\nRW {sectors} FLAT "key.img" 0\n\nddb.adapterType="ide"\n'
        f'ddb.geometry.cylinders="{min(16383, max(1, sectors // (16 * 63)))}"\nddb.geometry.heads="16"\n'
        'ddb.geometry.sectors="63"\nddb.virtualHWVersion="4"\n'
    )


def _card(vbox: Manage, guest: Guest, nic: NicSpec, n: str) -> list[str]:
    common = [f"--nictype{n}", "82540EM", f"--macaddress{n}", nic.mac.replace(":", "").upper(), f"--cableconnected{n}", "on"]  # fmt: skip
    if nic.network != "uplink":
        # Zones have addresses of their own, which only a card that listens to all gets to see.
        return [f"--nic{n}", "intnet", f"--intnet{n}", f"smartos-wizard-{nic.network}", f"--nicpromisc{n}", "allow-vms", *common]  # fmt: skip
    if guest.spec.sandbox is Sandbox.LAN:
        return [
            f"--nic{n}",
            "bridged",
            f"--bridgeadapter{n}",
            nic.bridge,
            f"--nicpromisc{n}",
            "allow-all",
            *common,
        ]
    if guest.spec.sandbox is Sandbox.LAB:
        inside = [f"--nat-localhostreachable{n}", "off"] if vbox.modern else []
        return [f"--nic{n}", "nat", *common, *inside]
    if not nic.bridge:
        return [f"--nic{n}", "intnet", f"--intnet{n}", f"smartos-wizard-{guest.spec.uuid[:8]}", *common]
    if vbox.system == "darwin" and vbox.modern:
        return [f"--nic{n}", "hostonlynet", f"--host-only-net{n}", nic.bridge, *common]
    return [f"--nic{n}", "hostonly", f"--hostonlyadapter{n}", nic.bridge, *common]
