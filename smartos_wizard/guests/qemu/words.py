"""The command line of a guest: written once when it is made, kept in its folder, read back to see what it says.

Shapes: qemu(1); smartos-docs, running SmartOS in UTM (q35, IDE for the CD, e1000, no UEFI).
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence

from smartos_wizard.guests.model import BootKind, Guest, Sandbox
from smartos_wizard.guests.qemu.probe import Engine

_PORT = re.compile(r"hostfwd=tcp:([0-9.]*):(\d+)-:22\b")
_RULE = re.compile(r"(?:hostfwd|guestfwd)=[^,\s]+")
_SECCOMP = "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"


def words_of(guest: Guest, program: str, engine: Engine) -> list[str]:
    """The whole command, `program` first. It shows no window and ends when the guest is off."""
    spec = guest.spec
    console = guest.console
    words = [
        program, "-name", f"guest={_escaped(spec.name)}", "-uuid", spec.uuid, "-nodefaults", "-no-user-config",
        "-machine", f"q35,accel={engine.accelerator}", "-cpu", _cpu(guest, engine), "-smp", str(spec.cpus),
        "-m", str(spec.memory), "-rtc", "base=utc", "-display", "none", "-vga", "std",
        "-boot", "menu=off,strict=on", "-device", "qemu-xhci,id=xhci",
        *_medium(guest), *_disks(guest), *_cards(guest),
        "-chardev", f"socket,id=com1,path={_escaped(str(console.socket))},server=on,wait=off,logfile={_escaped(str(console.log))},logappend=on",
        *_port(guest),
        "-qmp", f"unix:{_escaped(str(guest.sockets / 'qmp'))},server=on,wait=off",
        "-pidfile", str(guest.sockets / "pid"),
    ]  # fmt: skip
    if sys.platform == "linux" and spec.sandbox is not Sandbox.LAN:
        words += ["-sandbox", _SECCOMP]
    return words


def memory_of(words: Sequence[str]) -> int | None:
    """MiB, None where it is said in another way than qemu(1) explains."""
    match = re.fullmatch(r"(?:size=)?(\d+)([KMGT]?)(?:,.*)?", _after(words, "-m"), re.IGNORECASE)
    if match is None:
        return None
    return (
        int(match[1]) * {"K": 1, "": 1 << 10, "M": 1 << 10, "G": 1 << 20, "T": 1 << 30}[match[2].upper()]
        >> 10
    )


def cpus_of(words: Sequence[str]) -> int | None:
    """How many processors, None where it is not said."""
    match = re.match(r"(?:cpus=)?(\d+)(?:,|\Z)", _after(words, "-smp"))
    return int(match[1]) if match else None


def disks_of(words: Sequence[str]) -> tuple[str, ...]:
    """The files of the data disks, in their order."""
    return tuple(
        part.removeprefix("file=").replace(",,", ",")
        for word in words
        if word.startswith("if=none,id=disk")
        for part in re.split(r"(?<!,),(?!,)", word)
        if part.startswith("file=")
    )


def macs_of(words: Sequence[str]) -> tuple[str, ...]:
    """The addresses of the cards, in their order."""
    return tuple(match[1] for word in words if (match := re.search(r"mac=([0-9a-fA-F:]{17})", word)))


def boot_of(words: Sequence[str]) -> str:
    """From what it starts: `iso`, `key`, or empty where that is not what we wrote."""
    line = " ".join(words)
    return "iso" if "drive=cd,bootindex=0" in line else "key" if "drive=key," in line else ""


def script(words: Sequence[str], sockets: str) -> str:
    """The command as a small shell script, so that a person can read it and start the guest without this program."""
    lines = [f"  {shlex.quote(word)} \\" for word in words[1:]]
    return "\n".join(
        [
            "#!/bin/sh",
            "# Starts this guest and stays until it is off. Written by SmartOS Wizard, which reads it back.",
            f"mkdir -p -m 700 {shlex.quote(sockets)}",
            f"exec {shlex.quote(words[0])} \\",
            *lines[:-1],
            lines[-1].removesuffix(" \\"),
            "",
        ]
    )


def read_script(text: str) -> list[str]:
    """The command of such a script. Raises ValueError where there is none."""
    words = shlex.split(text.replace("\\\n", " "), comments=True)
    if "exec" not in words:
        raise ValueError("there is no command in it")
    return words[words.index("exec") + 1 :]


def switches_of(words: Sequence[str]) -> dict[str, str | None]:
    """The switches of the sandbox as this command line sets them."""
    line = " ".join(words)
    user = next((word for word in words if word.startswith("user,")), "")
    bridge = next((word for word in words if word.startswith("bridge,")), "")
    forward = _PORT.search(line)
    shown = (
        "none"
        if _after(words, "-display") == "none" and "-vnc" not in words and "-spice" not in words
        else "on"
    )
    found: dict[str, str | None] = {
        "clipboard": _off("qemu-vdagent" in line or "-spice" in words),
        "drag-and-drop": _off("-spice" in words),
        "shared-folders": _off(any(each in line for each in ("virtfs", "9p", "virtiofs", "smb="))),
        "usb": _off("usb-host" in line or "usb-redir" in line),
        "audio": _off("audiodev" in line or "hda" in line or "AC97" in line),
        "remote-display": _off(shown != "none"),
        "time-sync": "off",
        "3d": _off("virgl" in line or "gl=on" in line),
        "vmci": "off",
    }
    if bridge:
        name = dict(part.partition("=")[::2] for part in bridge.split(",")).get("br", "")
        return found | {
            "uplink": f"bridged {name}".strip(),
            "ssh": "the guest's address",
            "host-loopback": "off",
        }
    sealed = "restrict=on" in user
    found["uplink"] = "off" if sealed or not user else "nat"
    more = [rule for rule in _RULE.findall(line) if not _PORT.fullmatch(rule)]
    found["ssh"] = ", ".join([*((forward[1] or "every address",) if forward else ()), *more]) or None
    found["host-loopback"] = "off" if sealed or not user else "10.0.2.2"
    return found


def _cpu(guest: Guest, engine: Engine) -> str:
    if guest.spec.nested or not engine.fast:
        return engine.cpu
    return f"{engine.cpu},vmx=off,svm=off" if engine.cpu.startswith("host") else engine.cpu


def _port(guest: Guest) -> list[str]:
    """The console at the serial port that SmartOS talks on; the first one where it talks on the screen."""
    at = {"ttyb": 1, "ttyc": 2, "ttyd": 3}.get(guest.spec.console)
    return ["-serial", "chardev:com1"] if at is None else ["-device", f"isa-serial,index={at},chardev=com1"]


def _medium(guest: Guest) -> list[str]:
    if guest.spec.boot.kind is BootKind.ISO:
        return [
            "-drive", f"if=none,id=cd,media=cdrom,readonly=on,file={_escaped(guest.spec.boot.source)}",
            "-device", "ide-cd,bus=ide.0,drive=cd,bootindex=0",
        ]  # fmt: skip
    return [
        "-drive", f"if=none,id=key,file={_escaped(str(guest.key))},format=raw,snapshot=on",
        "-device", "usb-storage,bus=xhci.0,drive=key,removable=on,bootindex=0",
    ]  # fmt: skip


def _disks(guest: Guest) -> list[str]:
    words: list[str] = []
    for number, disk in enumerate(guest.spec.disks):
        path = _escaped(str(guest.disk(disk, "qcow2")))
        words += ["-drive", f"if=none,id=disk{number},file={path},format=qcow2,discard=unmap"]
        words += [
            "-device",
            f"virtio-blk-pci,drive=disk{number},serial={disk.name[:20]},bootindex={number + 1}",
        ]
    return words


def _cards(guest: Guest) -> list[str]:
    words: list[str] = []
    for number, nic in enumerate(guest.spec.nics):
        words += ["-netdev", _network(guest, number), "-device", f"e1000,netdev=net{number},mac={nic.mac}"]
    return words


def _network(guest: Guest, number: int) -> str:
    nic = guest.spec.nics[number]
    if nic.network != "uplink":
        # A segment between guests only: frames to a group that never leaves this machine.
        group = sum(nic.network.encode()) % 250 + 1
        return f"socket,id=net{number},mcast=230.0.83.{group}:{20000 + group},localaddr=127.0.0.1"
    if guest.spec.sandbox is Sandbox.LAN:
        return f"bridge,id=net{number},br={nic.bridge}"
    forward = f",hostfwd=tcp:127.0.0.1:{guest.spec.ssh_port}-:22" if number == 0 else ""
    sealed = ",restrict=on" if guest.spec.sandbox is Sandbox.SEALED else ""
    return f"user,id=net{number}{sealed}{forward}"


def _escaped(text: str) -> str:
    """A value inside a list of options: a comma is written twice (qemu(1))."""
    return text.replace(",", ",,")


def _after(words: Sequence[str], name: str) -> str:
    return words[words.index(name) + 1] if name in words else ""


def _off(on: bool) -> str:
    return "on" if on else "off"
