"""What an export says of itself: names that fit a format, and what the format leaves behind."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum

from smartos_wizard.guests.model import BootKind, GuestSpec, Sandbox
from smartos_wizard.guests.store import slug

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SWITCHES = "clipboard, shared folders, USB, sound and remote display"


class Format(StrEnum):
    """What a guest can be exported as."""

    OVA = "ova"
    LIBVIRT = "libvirt"
    UTM = "utm"


ENDINGS = {Format.OVA: ".ova", Format.LIBVIRT: ".xml", Format.UTM: ".utm"}


def plain_xml(text: str) -> str:
    """The text without the characters that XML 1.0 cannot hold in any spelling."""
    return _NOT_XML.sub("", text)


def file_stem(name: str) -> str:
    """What the files of a guest are called inside an archive: short, and plain ASCII."""
    return slug(name)[:40].strip("-") or "guest"


def left_behind(spec: GuestSpec, kind: Format, snapshots: int = 0) -> tuple[str, ...]:
    """What the format cannot carry of this guest and what to do about it, one sentence or two each."""
    return tuple({Format.OVA: _ova, Format.LIBVIRT: _libvirt, Format.UTM: _utm}[kind](spec, snapshots))


def _ova(spec: GuestSpec, snapshots: int) -> Iterator[str]:
    macs = " ".join(
        f"--macaddress{n} {nic.mac.replace(':', '').upper()}" for n, nic in enumerate(spec.nics, 1)
    )
    yield (
        "Network addresses: SmartOS needs those it was set up with, and VirtualBox makes new ones, whatever its "
        f"options say. After the import: `VBoxManage modifyvm NAME {macs}`. In VMware compare them."
    )
    if spec.boot.kind is BootKind.ISO:
        yield "The ISO it starts from is not in it: put it into the CD drive after the import."
    yield (
        f"The sandbox: {SWITCHES} are as the importing program has them by default. Switch them off there."
    )
    if spec.sandbox is not Sandbox.LAN:
        yield "The way to ssh: there is no port on 127.0.0.1 until you forward one to port 22."
    yield f"The serial console ({spec.console}): add a serial port there, else only the screen is left."
    yield "The clock: set it to UTC there."
    if spec.nested:
        yield "Virtual machines inside it: switch nested virtualisation on there."
    if any(nic.network != "uplink" for nic in spec.nics):
        yield "The names of networks between guests."
    yield from _secrets(spec)
    yield from _snapshots(snapshots)


def _libvirt(spec: GuestSpec, snapshots: int) -> Iterator[str]:
    yield (
        "Nothing is copied: the domain uses the guest's own disks where they lie. Start only one of the two, "
        "and `smartos-wizard guest delete` takes the disks of both."
    )
    yield "The disks are this user's: `virsh -c qemu:///session define FILE` can read them, the system's libvirt cannot."
    if spec.sandbox is Sandbox.LAB:
        yield "The way to ssh: libvirt's user network forwards no port. `virsh console` is the way in."
    if spec.sandbox is Sandbox.SEALED:
        yield "The sealed uplink: libvirt has no such network, so the card is there with its cable pulled."
    if any(nic.network != "uplink" for nic in spec.nics):
        yield "The networks between guests: make an isolated network of each name there first."
    if snapshots:
        yield "Snapshots stay in the disks, but libvirt does not list them."


def _utm(spec: GuestSpec, snapshots: int) -> Iterator[str]:
    if spec.boot.kind is BootKind.ISO:
        yield "The ISO it starts from is not in it: choose it for the CD drive in UTM."
    yield "Speed: on Apple silicon UTM imitates the processor, and nothing runs inside in KVM or bhyve."
    if spec.sandbox is Sandbox.LAN:
        yield "The bridge: UTM bridges to the Mac's first network card."
    if any(nic.network != "uplink" for nic in spec.nics):
        yield "Networks between guests: the cards are there, each alone in a network of its own."
    if spec.nested:
        yield "Virtual machines inside it."
    yield from _secrets(spec)
    yield from _snapshots(snapshots)


def _secrets(spec: GuestSpec) -> Iterator[str]:
    if spec.configured:
        yield (
            "Secrets: what was put on its key goes along: root's password as a hash, and in clear text where answers name it. "
            "Give it to nobody who may not have that."
        )


def _snapshots(count: int) -> Iterator[str]:
    if count:
        yield f"Its {count} snapshot{'s' if count != 1 else ''}: the disks go as they are now."
